import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { TextClassifier } from '../models/classifier/classifier.js';
import type { Prediction } from '../models/classifier/prediction.js';
import type { ServingState } from '../models/serving/options.js';

const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** What Prometheus reads: requests, texts, the queue, and the process. */
export class Metrics {
  readonly registry = new Registry();
  readonly #seconds: Histogram;
  readonly #texts: Counter;
  readonly #tokens: Counter;
  readonly #known: Counter;

  constructor(model: Pick<TextClassifier, 'serving'>, running: () => number) {
    const registers = [this.registry];
    collectDefaultMetrics({ register: this.registry });
    this.#seconds = new Histogram({
      name: 'recurra_http_request_seconds',
      help: 'Time from the head of a request to the end of its answer.',
      labelNames: ['method', 'route', 'status'],
      buckets: SECONDS,
      registers,
    });
    this.#texts = new Counter({ name: 'recurra_texts_total', help: 'Texts labelled for requests.', registers });
    this.#tokens = new Counter({ name: 'recurra_tokens_total', help: 'Tokens of these texts.', registers });
    this.#known = new Counter({
      name: 'recurra_known_tokens_total',
      help: 'Tokens that the model knows; a falling share says that the texts have changed.',
      registers,
    });
    new Gauge({
      name: 'recurra_http_requests_running',
      help: 'Requests that are being answered.',
      registers,
      collect() {
        this.set(running());
      },
    });
    const ofModel = (name: string, help: string, read: (serving: ServingState) => number) =>
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(read(model.serving));
        },
      });
    ofModel('recurra_queue_texts', 'Texts that wait.', ({ waiting }) => waiting);
    ofModel('recurra_queue_limit_texts', 'Texts that may wait.', ({ maxQueue }) => maxQueue);
    ofModel('recurra_running_texts', 'Texts that are being computed.', ({ running }) => running);
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
    counts('recurra_model_texts_total', 'Texts that the model labelled for anyone.', ({ texts }) => texts);
    counts('recurra_batches_total', 'Batches that the model computed.', ({ batches }) => batches);
    counts('recurra_refused_total', 'Calls refused because the queue was full.', ({ refused }) => refused);
  }

  /** Counts an answered request. */
  answered(method: string, route: string, status: number, seconds: number): void {
    this.#seconds.observe({ method, route, status }, seconds);
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
