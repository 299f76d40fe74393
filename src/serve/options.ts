import { typedByteSize } from '../core/byteSize.js';
import { callback, flag, integer, text } from '../core/options/kinds.js';
import { checkNames, option, type SettingsOf, settingsOf, type TableOf } from '../core/options/table.js';
import { PRECISION } from '../models/classifier/predictOptions.js';
import { trustedProxies, typedProxies } from './proxies.js';

/** A log entry of a server. It never contains texts. */
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
      /** Texts labelled, written or measured. */
      texts: number;
    }
  | {
      /** A request failed with a server error, status 500. */
      event: 'fault';
      /** The route that failed. */
      route: string;
      /** What was thrown. */
      error: unknown;
    };

/** Options of {@link createServer}. */
export interface ServerOptions {
  /** Address to listen on. Default: `127.0.0.1`, reachable from this machine only; `0.0.0.0` or `::` for all. */
  host?: string;
  /** Port to listen on; 0 for one that is free. Default: 8080. */
  port?: number;
  /** Largest body of a request, in bytes. Default: 1,048,576, which is 1 MiB. */
  bodyLimit?: number;
  /** Longest text, in characters. Default: 100,000. */
  maxTextLength?: number;
  /** Maximum texts in one request. Default: 1,000. */
  maxTexts?: number;
  /** Maximum units of a text that a language model writes. Default: 4,096. */
  maxNewTokens?: number;
  /**
   * Maximum texts that a language model writes or measures, or that a classifier explains, at the same time; further requests are
   * refused with 503. Default: 64.
   */
  maxConcurrent?: number;
  /** Labels in an answer if a request does not specify. Default: 5. */
  topK?: number;
  /**
   * The `precision` of a classifier's answers if a request has neither `precision` nor `minProbability`: labels below
   * the threshold that reached it on the validation rows of the training are not given. Default: none.
   */
  precision?: number;
  /**
   * Maximum prediction requests per client and minute; 0 for no limit. Default: no limit, since behind a proxy all
   * clients look like one unless `trustProxy` is set.
   */
  rateLimit?: number;
  /**
   * Proxies trusted for `X-Forwarded-For`: how many a request passes (1 for one nginx in front), or their addresses,
   * separated by commas (`'10.0.0.0/8, ::1'`, `'loopback'`). The client is the last address that is not a trusted
   * proxy; earlier entries may be forged. With a number, clients must only reach the server through the proxies.
   * Default: none.
   */
  trustProxy?: number | string | false;
  /**
   * Milliseconds that a client may take to send a request, or to read the next part of a generated text. Default:
   * 30,000.
   */
  requestTimeout?: number;
  /** Milliseconds that `close` waits for open requests before it cuts them off. Default: 10,000. */
  stopTimeout?: number;
  /** What the model is called on the page and in `GET /model`. Default: nothing; `recurra serve` takes the name of the file. */
  name?: string;
  /** Whether `/` is a page for trying texts by hand. Default: true. */
  page?: boolean;
  /** Receives a log entry for every request. Default: none. */
  log?: (entry: ServerLogEntry) => void;
}

/** {@link ServerOptions} with every default filled in. */
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
    flag: '<size>',
    help: 'largest body of a request, in bytes',
    flagHelp: 'largest body of a request, such as 2MB',
    parse: typedByteSize,
  }),
  maxTextLength: option(integer(1, 1 << 29), {
    default: 100_000,
    flag: '<n>',
    help: 'longest text, in characters',
  }),
  maxTexts: option(integer(1, 1_000_000), { default: 1_000, flag: '<n>', help: 'maximum texts in one request' }),
  maxNewTokens: option(integer(1, 2 ** 31 - 1), {
    default: 4_096,
    flag: '<n>',
    help: 'maximum units of a text that a language model writes',
  }),
  maxConcurrent: option(integer(1, 100_000), {
    default: 64,
    flag: '<n>',
    help: 'texts that are written, measured or explained at the same time',
  }),
  topK: option(integer(1, 1_000_000), {
    default: 5,
    flag: '<n>',
    help: 'labels in an answer if a request does not specify',
  }),
  precision: option(PRECISION, {
    defaultText: 'none',
    flag: '<share>',
    help: 'of a classifier: give no label below the threshold that reached this precision on validation, if a request does not specify',
  }),
  rateLimit: option(integer(0, 1_000_000_000), {
    default: 0,
    defaultText: 'no limit',
    flag: '<n>',
    help: 'maximum prediction requests per client and minute',
  }),
  trustProxy: option(trustedProxies, {
    default: false,
    defaultText: 'none',
    flag: '<proxies>',
    parse: typedProxies,
    help: 'proxies trusted for `X-Forwarded-For`: how many a request passes, or their addresses (`10.0.0.0/8,::1`, `loopback`)',
  }),
  requestTimeout: option(integer(1, 3_600_000), {
    default: 30_000,
    help: 'milliseconds that a client may take to send a request, or to read the next part of a generated text',
  }),
  stopTimeout: option(integer(0, 3_600_000), {
    default: 10_000,
    flag: '<ms>',
    help: 'milliseconds that the shutdown waits for open requests',
  }),
  name: option(text('a name'), {
    flag: '<name>',
    help: 'what the model is called on the page and in `GET /model`',
    flagHelp: 'what the model is called on the page and in `GET /model` (default: the name of the file)',
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
