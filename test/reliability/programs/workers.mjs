// Works in several worker threads at once and ends them: workers.mjs WHAT HOW ROUNDS. Prints the rounds as JSON.
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';

const [what, how, rounds] = process.argv.slice(2);
const program = new URL('./endProcess.mjs', import.meta.url);
let done = 0;

function start(round) {
  // The worker ends by itself, by process.exit() or an exception, or is ended from here once it works.
  const own = how === 'terminate' ? 1_000_000 : 40 + round * 7;
  const worker = new Worker(program, { argv: [what, how === 'terminate' ? 'exit' : how, String(own)], stderr: true });
  return new Promise((resolve) => {
    worker.on('error', () => {});
    worker.on('exit', resolve);
    worker.once('message', async () => {
      if (how !== 'terminate') return;
      await sleep(round * 13);
      worker.terminate();
    });
  });
}

for (let round = 0; round < Number(rounds); round++) {
  const codes = await Promise.all([start(round), start(round), start(round)]);
  // Node itself gives 0 or 1 after terminate().
  const expected = { terminate: [0, 1], exit: [7], throw: [1] }[how];
  if (codes.every((code) => expected.includes(code))) done++;
  else console.error(`round ${round}: ${codes}`);
}
console.log(JSON.stringify({ done }));
