import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** Milliseconds that a client has to read a refusal before its connection is closed. */
const LINGER = 1_000;

/**
 * Sends a last answer and closes the connection. A client that keeps its side open, or reads nothing, is cut off soon
 * after: each connection is a file descriptor, which is a limited resource.
 */
export function endConnection(socket: Duplex, answer: string): void {
  const timer = setTimeout(() => socket.destroy(), LINGER);
  // Closing at once would be too early: data that the client is still sending would make the kernel drop the answer.
  socket.once('close', () => clearTimeout(timer)).once('end', () => socket.destroy());
  socket.end(answer);
  socket.resume();
}

/** The connections of a server, and whether each has an open request. */
export class Connections {
  readonly #requests = new Map<Socket, number>();
  #ending = false;

  /** Adds a new connection. */
  add(socket: Socket): void {
    this.#requests.set(socket, 0);
    socket.once('close', () => this.#requests.delete(socket));
  }

  /** A request has arrived, possibly without its body. */
  begin(socket: Socket): void {
    this.#requests.set(socket, (this.#requests.get(socket) ?? 0) + 1);
  }

  /** A request was answered or abandoned. */
  end(socket: Socket): void {
    const left = (this.#requests.get(socket) ?? 1) - 1;
    if (socket.destroyed) return;
    this.#requests.set(socket, left);
    if (left === 0 && this.#ending) socket.destroySoon();
  }

  /** Closes every connection without a request, including those with a partial request; the others are closed later. */
  hangUpIdle(): void {
    this.#ending = true;
    for (const [socket, requests] of this.#requests) if (requests === 0) socket.destroy();
  }
}
