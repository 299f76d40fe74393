// One process of a group of the tests: does what its first argument says, and writes one line of JSON about it.
import { DistributedError } from '../../../dist/index.js';
import { agree, openProcessGroup } from '../../../dist/native/processGroup.js';

const what = process.argv[2];
const rank = Number(process.env.RANK);
const begin = performance.now();
const say = (line) => process.stdout.write(`${JSON.stringify({ rank, ...line })}\n`);
const die = (signal) => {
  if (rank === 1) process.kill(process.pid, signal);
};

const programs = {
  async exchange(group) {
    const parts = await group.allGatherBytes(new TextEncoder().encode('x'.repeat(rank)));
    say({ parts: parts.map((part) => part.length), size: group.size });
  },
  async linger(group) {
    await group.barrier();
    // Another process of the same number comes meanwhile.
    await new Promise((resolve) => setTimeout(resolve, 3_000));
  },
  async again(group) {
    await group.close();
    const second = await openProcessGroup({ timeout: 10 });
    say({ parts: (await second.allGatherBytes(new Uint8Array([rank]))).map((part) => part[0]) });
    await second.close();
  },
  async differ(group) {
    await agree(group, { 'their versions': '1', 'the options': JSON.stringify({ epochs: 10 + rank }) });
  },
  async kill(group) {
    await group.barrier();
    die('SIGKILL');
    await group.allGatherBytes(new Uint8Array(1000));
  },
  async stop(group) {
    await group.barrier();
    die('SIGSTOP');
    await group.allGatherBytes(new Uint8Array(1000));
  },
  async calls(group) {
    await (rank === 1 ? group.barrier() : group.allGatherBytes(new Uint8Array(10)));
  },
  async leave(group) {
    if (rank === 1) await group.close();
    else await group.allGatherBytes(new Uint8Array(10));
  },
};

try {
  const group = await openProcessGroup({ timeout: Number(process.env.GROUP_TIMEOUT ?? 10) });
  await programs[what](group);
  await group.close();
} catch (error) {
  const typed = error instanceof DistributedError;
  say({ error: error.message, code: error.code, typed, at: error.rank, ms: performance.now() - begin });
  process.exitCode = 1;
}
