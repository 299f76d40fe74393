import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';

/** One server-sent event. Serialised JSON contains no line breaks. */
export function serverSentEvent(name: string, data: object): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}

/**
 * Answers with server-sent events as they come. The next one is requested only after the connection has accepted the
 * previous ones, so that a slow reader does not fill the memory.
 *
 * @param patience - Milliseconds after which a client that reads nothing is cut off.
 */
export function sendEvents(reply: FastifyReply, events: AsyncGenerator<string>, patience: number): FastifyReply {
  async function* paced(): AsyncGenerator<string> {
    for await (const event of events) {
      const timer = setTimeout(() => reply.raw.destroy(), patience);
      try {
        yield event;
      } finally {
        clearTimeout(timer);
      }
    }
  }
  // A proxy must not buffer the events.
  reply.type('text/event-stream; charset=utf-8').header('x-accel-buffering', 'no');
  return reply.send(Readable.from(paced(), { objectMode: false, highWaterMark: 1 }));
}
