/**
 * A small HTTP server around a `TextClassifier` or a `TextTagger`: predictions, health, metrics, and a page for trying texts by hand.
 *
 * @packageDocumentation
 */
export type { ServerLogEntry, ServerOptions } from './options.js';
export { createServer, ModelServer } from './server.js';
