import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { TextClassifier } from '../../src/index.js';
import { createServer, type ModelServer } from '../../src/serve/index.js';
import { topicTexts } from '../support/texts.js';

let model: TextClassifier;
const sockets: Socket[] = [];

beforeAll(async () => {
  model = await TextClassifier.train(topicTexts(60), { embeddingDim: 8, hiddenSize: 8, epochs: 1, linear: false });
});
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  await model.close();
});

/** Connects, sends bytes and never hangs up. */
async function stubborn(server: ModelServer, bytes: string): Promise<Socket> {
  const { hostname, port } = new URL(server.url!);
  const socket = connect({ port: Number(port), host: hostname, allowHalfOpen: true });
  socket.on('error', () => {});
  sockets.push(socket);
  await once(socket, 'connect');
  if (bytes) socket.write(bytes);
  return socket;
}

const SLOW = 'POST /predict HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 10\r\n\r\n{';

it.each([
  ['400', 'GARBAGE\r\n\r\n'],
  ['408', SLOW],
])('a client that does not hang up after a %s is truncated soon', async (status, bytes) => {
  await using server = await createServer(model, { port: 0, requestTimeout: 200 });
  await server.listen();
  const socket = await stubborn(server, bytes);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  const [answer] = (await once(socket, 'data')) as [Buffer];
  expect(String(answer)).toMatch(`HTTP/1.1 ${status} `);
  // The client keeps its side open and drips; only the server's reset closes it.
  const drip = setInterval(() => socket.write('x'), 50);
  await closed;
  clearInterval(drip);
});

it('the end waits neither for refused clients nor for those that have sent nothing, half a head, or their last request', async () => {
  const server = await createServer(model, { port: 0, stopTimeout: 60_000 });
  await server.listen();
  await stubborn(server, '');
  await stubborn(server, 'GET /health HT');
  await once(await stubborn(server, 'GARBAGE\r\n\r\n'), 'data');
  await once(await stubborn(server, 'GET /health HTTP/1.1\r\nhost: a\r\n\r\n'), 'data');
  // The test's time limit is half of the stop timeout.
  expect(await server.close()).toBe(0);
});
