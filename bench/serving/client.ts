/** Asks a server over HTTP with many callers at once; started by `bench/serving.ts`, told what to do by a message. */
import { Agent, request } from 'node:http';
import { figures } from './figures.js';

/** What to do. */
export interface Order {
  url: string;
  texts: string[];
  callers: number;
  seconds: number;
}

process.once('message', async ({ url, texts, callers, seconds }: Order) => {
  const agent = new Agent({ keepAlive: true });
  const ask = (text: string) =>
    new Promise<void>((resolve, reject) => {
      const body = JSON.stringify({ text });
      const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
      const asked = request(`${url}/predict`, { method: 'POST', agent, headers }, (response) => {
        if (response.statusCode !== 200) reject(new Error(`status ${response.statusCode}`));
        response.resume().once('end', resolve).once('error', reject);
      });
      asked.once('error', reject).end(body);
    });
  const times: number[] = [];
  const warm = performance.now() + 1_000;
  const end = warm + seconds * 1_000;
  await Promise.all(
    Array.from({ length: callers }, async (_, caller) => {
      for (let i = caller, now = 0; now < end; i++) {
        const began = performance.now();
        await ask(texts[i % texts.length]!);
        now = performance.now();
        if (began >= warm) times.push(now - began);
      }
    }),
  );
  agent.destroy();
  process.send!(figures('HTTP', callers, times, seconds), () => process.disconnect());
});
