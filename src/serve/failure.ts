import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FastifyError } from 'fastify';
import { choiceWords } from '../core/checks.js';
import { counted } from '../core/counted.js';
import { describe, RecurraError } from '../core/errors.js';
import { listed } from '../core/listed.js';
import { endConnection } from './connections.js';

/** How a request is refused. */
export interface Failure {
  status: number;
  code: string;
  message: string;
  /** Whether an example of a request says what to do. */
  example?: boolean;
}

/** A request that is refused before it reaches its route. */
export class Refusal extends Error {
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.message);
    this.failure = failure;
  }
}

/** The body of a refusal. */
export function failureBody({ code, message }: Pick<Failure, 'code' | 'message'>) {
  return { error: { code, message } };
}

/** The answer to a client for a server error. */
export function serverFault(): Failure {
  return { status: 500, code: 'INTERNAL', message: "internal server error; see the server's log" };
}

/** Properties of a body that a message names. */
const MOST_NAMES = 10;

const BY_FASTIFY: Record<string, string> = { FST_ERR_CTP_BODY_TOO_LARGE: 'TOO_LARGE' };

/** Explains why a body does not match its schema. */
function ofValidation(faults: NonNullable<FastifyError['validation']>): Failure {
  const [first] = faults;
  // Errors of single properties come before the error about none or more than one.
  const either = faults.find(({ keyword }) => keyword === 'oneOf') as { schema?: { required: string[] }[] } | undefined;
  if (either) {
    const names = either.schema!.map(({ required }) => JSON.stringify(required[0])).join(' or ');
    return { status: 400, code: 'INVALID_ARGUMENT', message: `Expected either ${names} in body`, example: true };
  }
  const { keyword, instancePath, params, message, data } = first as NonNullable<typeof first> & { data?: unknown };
  const where = `body${instancePath.replace(/\/(\d+)/g, '[$1]').replaceAll('/', '.')}`;
  if (keyword === 'maxLength' || keyword === 'maxItems') {
    const element = where === 'body.stop' ? 'string' : /texts$/.test(where) ? 'text' : 'element';
    const most = counted(Number(params.limit), keyword === 'maxLength' ? 'character' : element);
    return { status: 413, code: 'TOO_LARGE', message: `Expected at most ${most} in ${where}` };
  }
  if (keyword === 'maximum') {
    // A number such as a share has a range; an integer has a limit of this server.
    const size = (first as { parentSchema?: { type?: string } }).parentSchema?.type !== 'number';
    const limit = `Expected at most ${params.limit} for ${where}`;
    if (size) return { status: 413, code: 'TOO_LARGE', message: limit };
    return { status: 400, code: 'INVALID_ARGUMENT', message: `${limit} but received ${describe(data)}` };
  }
  if (keyword === 'additionalProperties') {
    const name = JSON.stringify(params.additionalProperty);
    return { status: 400, code: 'INVALID_ARGUMENT', message: `Unknown property ${name} in ${where}`, example: true };
  }
  if (keyword === 'enum') {
    const message = `Expected ${choiceWords(params.allowedValues as string[])} for ${where} but received ${describe(data)}`;
    return { status: 400, code: 'INVALID_ARGUMENT', message };
  }
  if (keyword === 'type') {
    const type = [params.type].flat().join(' or ');
    const expected = `Expected ${/^[aio]/.test(type) ? 'an' : 'a'} ${type} for ${where}`;
    const message = `${expected} but received ${describe(data)}`;
    return { status: 400, code: 'INVALID_ARGUMENT', message, example: type === 'object' || type === 'array' };
  }
  if (keyword === 'required') {
    const found = Object.keys(Object(data)).map((name) => JSON.stringify(name));
    const received = found.length === 0 ? 'nothing' : listed(found, MOST_NAMES);
    const expected = `Expected ${JSON.stringify(params.missingProperty)} in ${where} but received ${received}`;
    return { status: 400, code: 'INVALID_ARGUMENT', message: expected, example: true };
  }
  return { status: 400, code: 'INVALID_ARGUMENT', message: `${where} ${message}` };
}

/** The answer for an error; undefined for a server error, whose details are not sent to a client. */
export function failureOf(error: FastifyError | RecurraError | Refusal): Failure | undefined {
  if (error instanceof Refusal) return error.failure;
  const { message } = error;
  if (error instanceof RecurraError) {
    if (error.code === 'OVERLOADED') return { status: 503, code: 'OVERLOADED', message };
    if (error.code === 'DISPOSED') return { status: 503, code: 'STOPPING', message: 'the model was closed' };
    if (error.code === 'ABORTED') return { status: 499, code: 'ABORTED', message };
    return undefined;
  }
  if (error.validation) return ofValidation(error.validation);
  const status = error.statusCode ?? 500;
  if (status === 415) {
    const message = 'Expected content-type: application/json, and a body without content-encoding';
    return { status, code: 'UNSUPPORTED_MEDIA_TYPE', message, example: true };
  }
  if (status === 429) return { status, code: 'RATE_LIMITED', message };
  if (status >= 400 && status < 500) {
    return { status, code: BY_FASTIFY[error.code] ?? 'INVALID_ARGUMENT', message };
  }
  return undefined;
}

/** Answers requests that are not HTTP or arrived too slowly, and closes the connection. */
export function refuseConnection(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const failures: Record<string, Failure> = {
    ERR_HTTP_REQUEST_TIMEOUT: { status: 408, code: 'TIMEOUT', message: 'the request took too long to arrive' },
    HPE_HEADER_OVERFLOW: { status: 431, code: 'TOO_LARGE', message: 'the headers are too large' },
  };
  const failure = failures[error.code ?? ''] ?? { status: 400, code: 'INVALID_ARGUMENT', message: 'this is not HTTP' };
  const body = JSON.stringify(failureBody(failure));
  if (!socket.writable) {
    socket.destroy(error);
    return;
  }
  endConnection(
    socket,
    `HTTP/1.1 ${failure.status} ${STATUS_CODES[failure.status]}\r\nContent-Type: application/json; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
