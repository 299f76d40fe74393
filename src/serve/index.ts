/**
 * A small HTTP server around a `TextClassifier`, a `TextTagger` or a `LanguageModel`: predictions, texts that are written, health, metrics, and a page for trying texts by hand.
 *
 * @module recurra/serve
 */
export type { ServerLogEntry, ServerOptions } from './options.js';
export { createServer, ModelServer } from './server.js';
