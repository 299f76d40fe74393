import type { FastifyRequest } from 'fastify';
import { Refusal } from './failure.js';

const decoder = new TextDecoder('utf-8', { fatal: true });

/**
 * Parses the body of a request as JSON, which over HTTP must be UTF-8. Other encodings are refused, since texts with
 * replacement characters would be silently mislabelled. A key such as `__proto__` is an ordinary key, which the route's
 * schema refuses.
 *
 * @throws Refusal
 */
export function parseBody(request: FastifyRequest, body: Buffer): unknown {
  const type = request.headers['content-type'] ?? '';
  const charset = /;\s*charset\s*=\s*"?([^\s;"]+)/i.exec(type)?.[1];
  if (charset !== undefined && !/^utf-?8$/i.test(charset)) {
    const message = `Expected a body in UTF-8 but received the charset ${JSON.stringify(charset)}`;
    throw new Refusal({ status: 415, code: 'UNSUPPORTED_MEDIA_TYPE', message });
  }
  const invalid = (message: string) => new Refusal({ status: 400, code: 'INVALID_JSON', message, example: true });
  if (body.length === 0) throw invalid('Body cannot be empty when content-type is application/json');
  let text: string;
  try {
    text = decoder.decode(body);
  } catch {
    throw invalid('Body is not UTF-8, which JSON over HTTP must be');
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalid(`Body is not valid JSON: ${(error as Error).message}`);
  }
}
