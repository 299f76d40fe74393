import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FastifyError } from 'fastify';
import { choiceWords } from '../core/checks.js';
import { describe, RecurraError } from '../core/errors.js';
import { endConnection } from './connections.js';

/** How a request is refused. */
export interface Failure {
  status: number;
  code: string;
  message: string;
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

const BY_FASTIFY: Record<string, string> = { FST_ERR_CTP_BODY_TOO_LARGE: 'TOO_LARGE' };

/** Explains why a body does not match its schema. */
function ofValidation(faults: NonNullable<FastifyError['validation']>): Failure {
  const [first] = faults;
  // Errors of single properties come before the error about none or more than one.
  const either = faults.find(({ keyword }) => keyword === 'oneOf') as { schema?: { required: string[] }[] } | undefined;
  if (either) {
    const names = either.schema!.map(({ required }) => JSON.stringify(required[0])).join(' or ');
    return { status: 400, code: 'INVALID_ARGUMENT', message: `Expected either ${names} in body` };
  }
  const { keyword, instancePath, params, message, data } = first as NonNullable<typeof first> & { data?: unknown };
  const where = `body${instancePath.replace(/\/(\d+)/g, '[$1]').replaceAll('/', '.')}`;
  if (keyword === 'maxLength' || keyword === 'maxItems') {
    const units = where === 'body.stop' ? 'strings' : /texts$/.test(where) ? 'texts' : 'elements';
    const unit = keyword === 'maxLength' ? 'characters' : units;
    return { status: 413, code: 'TOO_LARGE', message: `Expected at most ${params.limit} ${unit} in ${where}` };
  }
  if (keyword === 'maximum')
    return { status: 413, code: 'TOO_LARGE', message: `Expected at most ${params.limit} for ${where}` };
  if (keyword === 'additionalProperties') {
    const name = JSON.stringify(params.additionalProperty);
    return { status: 400, code: 'INVALID_ARGUMENT', message: `Unknown property ${name} in ${where}` };
  }
  if (keyword === 'enum') {
    const message = `Expected ${choiceWords(params.allowedValues as string[])} for ${where} but received ${describe(data)}`;
    return { status: 400, code: 'INVALID_ARGUMENT', message };
  }
  if (keyword === 'type') {
    const type = [params.type].flat().join(' or ');
    const expected = `Expected ${/^[aio]/.test(type) ? 'an' : 'a'} ${type} for ${where}`;
    return { status: 400, code: 'INVALID_ARGUMENT', message: `${expected} but received ${describe(data)}` };
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
    return { status, code: 'UNSUPPORTED_MEDIA_TYPE', message };
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
