import { callback, flag, integer, text } from '../core/options/kinds.js';
import { checkNames, option, type SettingsOf, settingsOf, type TableOf } from '../core/options/table.js';
import { trustedProxies, typedProxies } from './proxies.js';

/** Something that a server tells its owner's log. Texts are never in it. */
export type ServerLogEntry =
  | {
      /** A request was answered. */
      event: 'request';
      /** Its method. */
      method: string;
      /** The route that answered, or `unmatched`. */
      route: string;
      /** The status of the answer. */
      status: number;
      /** Milliseconds from the request's head to the end of the answer. */
      milliseconds: number;
      /** Texts that were labelled, written or measured. */
      texts: number;
    }
  | {
      /** A request failed by a fault of the server, answered with status 500. */
      event: 'fault';
      /** The route that failed. */
      route: string;
      /** What was thrown. */
      error: unknown;
    };

/** Options of {@link createServer}. */
export interface ServerOptions {
  /** Address to listen on. Default: `127.0.0.1`, which only this machine reaches; `0.0.0.0` or `::` for all. */
  host?: string;
  /** Port to listen on; 0 for one that is free. Default: 8080. */
  port?: number;
  /** Largest body of a request, in bytes. Default: 1,048,576, which is 1 MiB. */
  bodyLimit?: number;
  /** Longest text, in characters. Default: 100,000. */
  maxTextLength?: number;
  /** Most texts in one request. Default: 1,000. */
  maxTexts?: number;
  /** Most units of a text that a language model writes. Default: 4,096. */
  maxNewTokens?: number;
  /** Texts that a language model writes or measures at the same time; a request beyond that is refused with 503. Default: 64. */
  maxConcurrent?: number;
  /** Labels in an answer when a request does not say. Default: 5. */
  topK?: number;
  /**
   * Predictions that one client may ask for in a minute, counted in requests; 0 for no limit. Default: no limit, since behind
   * a proxy all clients look like one unless `trustProxy` is set.
   */
  rateLimit?: number;
  /**
   * Which proxies are believed when `X-Forwarded-For` says who the client is: how many of them a request passes (1 for one
   * nginx in front), or their addresses, separated by commas (`'10.0.0.0/8, ::1'`, `'loopback'`). The client is the last address
   * that none of them has; what stands before it anybody may have written. With a number, no client may reach the server but
   * through the proxies. Default: none.
   */
  trustProxy?: number | string | false;
  /** Milliseconds that a client may take to send a request, or to read what is ready of a text that is written. Default: 30,000. */
  requestTimeout?: number;
  /** Milliseconds that `close` waits for answers under way before it cuts them off. Default: 10,000. */
  stopTimeout?: number;
  /** Whether `/` is a page for trying texts by hand. Default: true. */
  page?: boolean;
  /** Told of every request. Default: nobody. */
  log?: (entry: ServerLogEntry) => void;
}

/** Options with nothing left open. */
export type ServerSettings = SettingsOf<typeof SERVER>;

/** The table of {@link ServerOptions}. */
export const SERVER = {
  host: option(text('an address or the name of a host'), {
    default: '127.0.0.1',
    flag: '<address>',
    help: 'address to listen on; 127.0.0.1 is this machine only',
  }),
  port: option(integer(0, 65_535), {
    default: 8080,
    defaultText: '8080',
    flag: '<n>',
    help: 'port to listen on, 0 for a free one',
  }),
  bodyLimit: option(integer(1, 1 << 30), {
    default: 1 << 20,
    flag: '<bytes>',
    help: 'largest body of a request, in bytes',
  }),
  maxTextLength: option(integer(1, 1 << 29), {
    default: 100_000,
    flag: '<n>',
    help: 'longest text, in characters',
  }),
  maxTexts: option(integer(1, 1_000_000), { default: 1_000, flag: '<n>', help: 'most texts in one request' }),
  maxNewTokens: option(integer(1, 2 ** 31 - 1), {
    default: 4_096,
    flag: '<n>',
    help: 'most units of a text that a language model writes',
  }),
  maxConcurrent: option(integer(1, 100_000), {
    default: 64,
    flag: '<n>',
    help: 'texts that a language model writes or measures at the same time',
  }),
  topK: option(integer(1, 1_000_000), {
    default: 5,
    flag: '<n>',
    help: 'labels in an answer when a request does not say',
  }),
  rateLimit: option(integer(0, 1_000_000_000), {
    default: 0,
    defaultText: 'no limit',
    flag: '<n>',
    help: 'predictions that one client may ask for in a minute',
  }),
  trustProxy: option(trustedProxies, {
    default: false,
    defaultText: 'none',
    flag: '<proxies>',
    parse: typedProxies,
    help: 'proxies whose `X-Forwarded-For` is believed: how many a request passes, or their addresses (`10.0.0.0/8,::1`, `loopback`)',
  }),
  requestTimeout: option(integer(1, 3_600_000), {
    default: 30_000,
    help: 'milliseconds that a client may take to send a request, or to read what is ready of a text that is written',
  }),
  stopTimeout: option(integer(0, 3_600_000), {
    default: 10_000,
    flag: '<ms>',
    help: 'milliseconds that the end waits for answers under way',
  }),
  page: option(flag, {
    default: true,
    flag: '',
    help: 'a page at `/` for trying texts by hand',
    flagHelp: 'without the page for trying texts by hand',
  }),
  log: option(callback<(entry: ServerLogEntry) => void>(), { help: 'called with every request and fault' }),
} as const satisfies TableOf<ServerOptions>;

/** Checks the options and fills in the defaults. */
export function serverSettings(options: ServerOptions): ServerSettings {
  checkNames('createServer', options, SERVER);
  return settingsOf(SERVER, options);
}
