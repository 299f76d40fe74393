import { checkOptionNames, invalidArgument } from '../core/errors.js';

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
      /** Texts that were labelled. */
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
  /** Largest body of a request, in bytes. Default: 1 MiB. */
  bodyLimit?: number;
  /** Longest text, in characters. Default: 100,000. */
  maxTextLength?: number;
  /** Most texts in one request. Default: 1,000. */
  maxTexts?: number;
  /** Labels in an answer when a request does not say. Default: 5. */
  topK?: number;
  /**
   * Predictions that one client may ask for in a minute, counted in requests; 0 for no limit. Default: 0, since behind a proxy
   * all clients look like one unless `trustProxy` is set.
   */
  rateLimit?: number;
  /** Whether `X-Forwarded-For` tells who the client is: only behind a proxy that sets it. Default: false. */
  trustProxy?: boolean;
  /** Milliseconds that a client may take to send a request. Default: 30,000. */
  requestTimeout?: number;
  /** Milliseconds that `close` waits for answers under way before it cuts them off. Default: 10,000. */
  stopTimeout?: number;
  /** Whether `/` is a page for trying texts by hand. Default: true. */
  page?: boolean;
  /** Told of every request. Default: nobody. */
  log?: (entry: ServerLogEntry) => void;
}

/** Options with nothing left open. */
export type ServerSettings = Required<Omit<ServerOptions, 'log'>> & Pick<ServerOptions, 'log'>;

const DEFAULTS: ServerSettings = {
  host: '127.0.0.1',
  port: 8080,
  bodyLimit: 1 << 20,
  maxTextLength: 100_000,
  maxTexts: 1_000,
  topK: 5,
  rateLimit: 0,
  trustProxy: false,
  requestTimeout: 30_000,
  stopTimeout: 10_000,
  page: true,
};

const RANGES = {
  port: [0, 65_535],
  bodyLimit: [1, 1 << 30],
  maxTextLength: [1, 1 << 29],
  maxTexts: [1, 1_000_000],
  topK: [1, 1_000_000],
  rateLimit: [0, 1_000_000_000],
  requestTimeout: [1, 3_600_000],
  stopTimeout: [0, 3_600_000],
} as const;

/** Checks the options and fills in the defaults. */
export function serverSettings(options: ServerOptions): ServerSettings {
  checkOptionNames('createServer', options, [...Object.keys(DEFAULTS), 'log']);
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const settings: ServerSettings = { ...DEFAULTS, ...given };
  for (const [name, [least, most]] of Object.entries(RANGES)) {
    const value = settings[name as keyof typeof RANGES];
    if (!Number.isSafeInteger(value) || value < least || value > most) {
      throw invalidArgument(name, `an integer from ${least} to ${most}`, value);
    }
  }
  for (const name of ['trustProxy', 'page'] as const) {
    if (typeof settings[name] !== 'boolean') throw invalidArgument(name, 'true or false', settings[name]);
  }
  const { host, log } = settings;
  if (typeof host !== 'string' || host === '') throw invalidArgument('host', 'an address or the name of a host', host);
  if (log !== undefined && typeof log !== 'function') throw invalidArgument('log', 'a function', log);
  return settings;
}
