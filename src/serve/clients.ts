import type { FastifyReply } from 'fastify';

/** Aborted when a client goes before it was answered. (Fastify's `request.signal` is so, too, when a body has been read.) */
export function whenGone({ raw }: FastifyReply): AbortSignal {
  const abort = new AbortController();
  raw.once('close', () => {
    if (!raw.writableFinished) abort.abort();
  });
  return abort.signal;
}
