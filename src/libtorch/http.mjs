// GET over HTTP(S) with Node's own client: redirects, a proxy from the environment, credentials and certificates as in
// pip. Node's `fetch` supports no proxy before Node 24.

import { readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { rootCertificates, connect as tlsConnect } from 'node:tls';

/** Idle time after which a connection is closed, ms. */
const silence = 60_000;
const mostRedirects = 10;

/** A failed request; `passing` says whether retrying may help. */
export class HttpError extends Error {
  name = 'HttpError';

  constructor(message, { passing = false, status = undefined, cause = undefined } = {}) {
    super(message, { cause });
    this.passing = passing;
    this.status = status;
  }
}

/** A URL for messages: without credentials and query. */
export function shown(url) {
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}`;
}

/** The proxy for a URL, or undefined: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, and NO_PROXY against them, in either case. */
export function proxyFor(url, env = process.env) {
  const { protocol, hostname, port } = new URL(url);
  const read = (name) => env[name.toLowerCase()] || env[name];
  const excluded = (read('NO_PROXY') ?? '').split(/[\s,]+/).filter(Boolean);
  for (const entry of excluded) {
    const [host, onlyPort] = entry.replace(/^\*?\./, '').split(':');
    if (entry === '*') return undefined;
    const here = hostname === host || hostname.endsWith(`.${host}`);
    if (here && (!onlyPort || onlyPort === (port || (protocol === 'https:' ? '443' : '80')))) return undefined;
  }
  const found = read(protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY') || read('ALL_PROXY') || env.PIP_PROXY;
  if (!found) return undefined;
  const proxy = new URL(found.includes('://') ? found : `http://${found}`);
  if (proxy.protocol !== 'http:' && proxy.protocol !== 'https:')
    throw new HttpError(`the proxy ${shown(proxy)} is not supported; use an http:// proxy`);
  return proxy;
}

/** Additional CA certificates, from the variables that pip and OpenSSL read; undefined for none. */
function authorities(env) {
  for (const name of ['PIP_CERT', 'REQUESTS_CA_BUNDLE', 'SSL_CERT_FILE']) {
    if (!env[name]) continue;
    try {
      return [...rootCertificates, readFileSync(env[name], 'utf8')];
    } catch (error) {
      throw new HttpError(`the certificates that ${name} names cannot be read: ${error.message}`);
    }
  }
  return undefined;
}

const basic = ({ username, password }) =>
  `Basic ${Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64')}`;

/** A socket through the proxy to the host of `url`, encrypted to that host. */
function tunnel(proxy, url, ca) {
  const { hostname } = url;
  const target = `${hostname}:${url.port || 443}`;
  return new Promise((resolve, reject) => {
    const headers = { host: target, ...(proxy.username ? { 'proxy-authorization': basic(proxy) } : {}) };
    const send = proxy.protocol === 'https:' ? httpsRequest : httpRequest;
    const options = { host: proxy.hostname, port: proxy.port || (proxy.protocol === 'https:' ? 443 : 80) };
    const call = send({ ...options, method: 'CONNECT', path: target, headers, agent: false, timeout: silence, ca });
    call.on('connect', ({ statusCode }, socket) => {
      if (statusCode === 200) resolve(tlsConnect({ socket, servername: hostname, ca }));
      else reject(new HttpError(`the proxy ${shown(proxy)} answered ${statusCode}`, { passing: statusCode >= 500 }));
    });
    call.on('timeout', () => call.destroy(new Error('no answer')));
    call.on('error', (error) =>
      reject(new HttpError(`the proxy ${shown(proxy)}: ${error.message}`, { passing: true })),
    );
    call.end();
  });
}

async function requestOnce(url, headers, env) {
  const proxy = proxyFor(url, env);
  const secure = url.protocol === 'https:';
  const ca = secure ? authorities(env) : undefined;
  let options = { host: url.hostname, port: url.port || undefined, path: `${url.pathname}${url.search}`, ca };
  if (proxy && secure) {
    const socket = await tunnel(proxy, url, ca);
    options = { ...options, agent: false, createConnection: () => socket };
  } else if (proxy) {
    const authorization = proxy.username ? { 'proxy-authorization': basic(proxy) } : {};
    options = { host: proxy.hostname, port: proxy.port || 80, path: url.href };
    headers = { ...headers, ...authorization };
  }
  const send = secure ? httpsRequest : httpRequest;
  const all = { host: url.host, 'user-agent': 'recurra', 'accept-encoding': 'identity', ...headers };
  return new Promise((resolve, reject) => {
    const call = send({ ...options, headers: all, timeout: silence }, resolve);
    call.on('timeout', () => call.destroy(new Error(`no data for ${silence / 1000} s`)));
    call.on('error', (error) => {
      const message = `${shown(url)}: ${error.message || error.code}`;
      reject(
        new HttpError(message, { passing: !/CERT|certificate/i.test(`${error.code} ${error.message}`), cause: error }),
      );
    });
    call.end();
  });
}

/**
 * The response (a stream) to a GET, after redirects; `{ response, url }`. Credentials in the URL are sent to its own host
 * only. Throws HttpError for any status but those in `accept`.
 */
export async function get(from, { headers = {}, accept = [200], env = process.env } = {}) {
  let url = new URL(from);
  const origin = url.origin;
  const authorization = url.username ? { authorization: basic(url) } : {};
  for (let hop = 0; hop <= mostRedirects; hop++) {
    const response = await requestOnce(url, { ...(url.origin === origin ? authorization : {}), ...headers }, env);
    const { statusCode } = response;
    if (accept.includes(statusCode)) return { response, url: url.href };
    response.resume();
    if (![301, 302, 303, 307, 308].includes(statusCode) || !response.headers.location)
      throw new HttpError(`${shown(url)} answered ${statusCode} ${response.statusMessage}`, {
        passing: statusCode >= 500 || statusCode === 429,
        status: statusCode,
      });
    const next = new URL(response.headers.location, url);
    if (url.protocol === 'https:' && next.protocol !== 'https:')
      throw new HttpError(`${shown(url)} redirects to an unencrypted address`);
    url = next;
  }
  throw new HttpError(`${shown(from)} redirects too often`);
}

/** The body of a GET as text, at most `limit` bytes; `{ text, type, url }`. */
export async function getText(from, { limit = 32 * 2 ** 20, ...options } = {}) {
  const { response, url } = await get(from, options);
  const pieces = [];
  let size = 0;
  for await (const piece of response) {
    size += piece.length;
    if (size > limit) {
      response.destroy();
      throw new HttpError(`${shown(from)} is longer than ${limit} bytes`);
    }
    pieces.push(piece);
  }
  return { text: Buffer.concat(pieces).toString('utf8'), type: response.headers['content-type'] ?? '', url };
}
