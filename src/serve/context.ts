import type { FastifyReply, FastifyRequest } from 'fastify';
import type { TextClassifier } from '../models/classifier/classifier.js';
import type { LanguageModel } from '../models/language/language.js';
import type { Seq2Seq } from '../models/seq2seq/seq2seq.js';
import type { TextTagger } from '../models/tagger/tagger.js';
import type { Metrics } from './metrics.js';
import type { ServerSettings } from './options.js';

/** A model that a server answers with. */
export type ServedModel = TextClassifier | TextTagger | LanguageModel | Seq2Seq;

/** Context of the routes. */
export interface RouteContext {
  model: ServedModel;
  settings: ServerSettings;
  metrics: Metrics;
  /** Whether the server is shutting down. */
  stopping(): boolean;
  /** Receives the number of texts labelled, written or measured for a request. */
  labelled(request: FastifyRequest, texts: number): void;
  /** Rate limit of the routes that compute. */
  config: object;
  /** Receives a server error, for the log. */
  fault(route: string, error: unknown): void;
}

/**
 * Aborts if a client disconnects before it was answered. (Fastify's `request.signal` also aborts once a body has been
 * read.)
 */
export function whenGone({ raw }: FastifyReply): AbortSignal {
  const abort = new AbortController();
  raw.once('close', () => {
    if (!raw.writableFinished) abort.abort();
  });
  return abort.signal;
}
