import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { TextClassifier } from '../models/classifier/classifier.js';
import type { Prediction } from '../models/classifier/prediction.js';
import type { GeneratedText } from '../models/language/sampling.js';
import type { ServingState } from '../models/serving/options.js';

const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Prometheus metrics of every server: requests, and the process. */
export class Metrics {
  readonly registry = new Registry();
  readonly #seconds: Histogram;

  constructor(running: () => number) {
    const registers = [this.registry];
    collectDefaultMetrics({ register: this.registry });
    this.#seconds = new Histogram({
      name: 'recurra_http_request_seconds',
      help: 'Time from the head of a request to the end of its answer.',
      labelNames: ['method', 'route', 'status'],
      buckets: SECONDS,
      registers,
    });
    gauge(registers, 'recurra_http_requests_running', 'Requests in progress.', running);
  }

  /** Counts an answered request. */
  answered(method: string, route: string, status: number, seconds: number): void {
    this.#seconds.observe({ method, route, status }, seconds);
  }
}

/** A gauge that is read on request. */
function gauge(registers: Registry[], name: string, help: string, read: () => number): void {
  new Gauge({
    name,
    help,
    registers,
    collect() {
      this.set(read());
    },
  });
}

/** Prometheus metrics of a model that labels texts: texts, and the queue. */
export class PredictionMetrics {
  readonly #texts: Counter;
  readonly #tokens: Counter;
  readonly #known: Counter;

  constructor({ registry }: Metrics, model: Pick<TextClassifier, 'serving'>) {
    const registers = [registry];
    this.#texts = new Counter({ name: 'recurra_texts_total', help: 'Texts labelled for requests.', registers });
    this.#tokens = new Counter({ name: 'recurra_tokens_total', help: 'Tokens of these texts.', registers });
    this.#known = new Counter({
      name: 'recurra_known_tokens_total',
      help: 'Tokens that the model knows; a falling share means that the texts have changed.',
      registers,
    });
    const ofModel = (name: string, help: string, read: (serving: ServingState) => number) =>
      gauge(registers, name, help, () => read(model.serving));
    ofModel('recurra_queue_texts', 'Texts waiting.', ({ waiting }) => waiting);
    ofModel('recurra_queue_limit_texts', 'Maximum waiting texts.', ({ maxQueue }) => maxQueue);
    ofModel('recurra_running_texts', 'Texts being computed.', ({ running }) => running);
    const counts = (name: string, help: string, read: (serving: ServingState) => number) =>
      new Counter({
        name,
        help,
        registers,
        collect() {
          this.reset();
          this.inc(read(model.serving));
        },
      });
    counts('recurra_model_texts_total', 'Texts that the model labelled for any caller.', ({ texts }) => texts);
    counts('recurra_batches_total', 'Batches that the model computed.', ({ batches }) => batches);
    counts('recurra_refused_total', 'Calls refused because the queue was full.', ({ refused }) => refused);
  }

  /** Counts predictions. */
  predicted(predictions: readonly Pick<Prediction, 'tokens' | 'knownTokens'>[]): void {
    let tokens = 0;
    let known = 0;
    for (const prediction of predictions) {
      tokens += prediction.tokens;
      known += prediction.knownTokens;
    }
    this.#texts.inc(predictions.length);
    this.#tokens.inc(tokens);
    this.#known.inc(known);
  }
}

/** Prometheus metrics of a language model: texts written and measured. */
export class LanguageMetrics {
  readonly #texts: Counter;
  readonly #tokens: Counter;
  readonly #prompts: Counter;
  readonly #scored: Counter;
  readonly #refused: Counter;

  constructor({ registry }: Metrics, running: () => number, limit: number) {
    const registers = [registry];
    const counter = (name: string, help: string) => new Counter({ name, help, registers });
    this.#texts = new Counter({
      name: 'recurra_generated_texts_total',
      help: 'Texts written for requests, by reason of their end; gone: the client disconnected or read nothing.',
      labelNames: ['reason'],
      registers,
    });
    this.#tokens = counter('recurra_generated_tokens_total', 'Units of completed texts.');
    this.#prompts = counter('recurra_prompt_tokens_total', 'Units of their prompts.');
    this.#scored = counter('recurra_scored_tokens_total', 'Units of texts measured for requests.');
    this.#refused = counter('recurra_refused_total', 'Requests refused because too many texts were in progress.');
    gauge(registers, 'recurra_concurrent_texts', 'Texts being written or measured.', running);
    gauge(registers, 'recurra_concurrent_limit_texts', 'Maximum texts written or measured at a time.', () => limit);
  }

  /** Counts a text that was written. */
  wrote({ reason, tokens, promptTokens }: GeneratedText): void {
    this.#texts.inc({ reason });
    this.#tokens.inc(tokens);
    this.#prompts.inc(promptTokens);
  }

  /** Counts a text whose client disconnected. */
  gone(): void {
    this.#texts.inc({ reason: 'gone' });
  }

  /** Counts a text that was measured. */
  scored(tokens: number): void {
    this.#scored.inc(tokens);
  }

  /** Counts a request refused because too many texts were in progress. */
  refused(): void {
    this.#refused.inc();
  }
}
