import type { FastifyReply, FastifyRequest } from 'fastify';
import type { TextClassifier } from '../models/classifier/classifier.js';
import type { LanguageModel } from '../models/language/language.js';
import type { Seq2Seq } from '../models/seq2seq/seq2seq.js';
import type { TextTagger } from '../models/tagger/tagger.js';
import type { Metrics } from './metrics.js';
import type { ServerSettings } from './options.js';

/** A model that a server answers with. */
export type ServedModel = TextClassifier | TextTagger | LanguageModel | Seq2Seq;

/** What the routes need to know. */
export interface RouteContext {
  model: ServedModel;
  settings: ServerSettings;
  metrics: Metrics;
  /** Whether the server is ending. */
  stopping(): boolean;
  /** Told how many texts were labelled, written or measured for a request. */
  labelled(request: FastifyRequest, texts: number): void;
  /** What limits the routes that compute. */
  config: object;
  /** Told of a fault of the server, of which its log says more. */
  fault(route: string, error: unknown): void;
}

/** Aborted when a client goes before it was answered. (Fastify's `request.signal` is so, too, when a body has been read.) */
export function whenGone({ raw }: FastifyReply): AbortSignal {
  const abort = new AbortController();
  raw.once('close', () => {
    if (!raw.writableFinished) abort.abort();
  });
  return abort.signal;
}
