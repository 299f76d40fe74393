import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** Milliseconds that a client has to read a refusal before its connection is cut, whether it hangs up or not. */
const LINGER = 1_000;

/**
 * Sends a last answer and hangs up. A client that keeps its side open, or reads nothing, is cut off soon after: each connection
 * is a file descriptor, of which a process has few.
 */
export function endConnection(socket: Duplex, answer: string): void {
  const timer = setTimeout(() => socket.destroy(), LINGER);
  // At once would be too soon: what the client still sends would make the kernel drop the answer.
  socket.once('close', () => clearTimeout(timer)).once('end', () => socket.destroy());
  socket.end(answer);
  socket.resume();
}

/** The connections of a server, and whether each has a request under way. */
export class Connections {
  readonly #requests = new Map<Socket, number>();
  #ending = false;

  /** Adds a new connection. */
  add(socket: Socket): void {
    this.#requests.set(socket, 0);
    socket.once('close', () => this.#requests.delete(socket));
  }

  /** A request has arrived, its body perhaps not yet. */
  begin(socket: Socket): void {
    this.#requests.set(socket, (this.#requests.get(socket) ?? 0) + 1);
  }

  /** A request was answered, or given up. */
  end(socket: Socket): void {
    const left = (this.#requests.get(socket) ?? 1) - 1;
    if (socket.destroyed) return;
    this.#requests.set(socket, left);
    if (left === 0 && this.#ending) socket.destroySoon();
  }

  /** Hangs up on every connection without a request, also on one that has sent half of one or nothing at all; on the others later. */
  hangUpIdle(): void {
    this.#ending = true;
    for (const [socket, requests] of this.#requests) if (requests === 0) socket.destroy();
  }
}
