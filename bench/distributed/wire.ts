import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** How two ranks are connected. */
export interface Wire {
  name: string;
  /** What a rank's command begins with. */
  prefix(rank: number): string[];
  /** Where the ranks meet, and by which interface. */
  environment: Record<string, string>;
  close(): void;
}

const run = (command: string, ...args: string[]) => execFileSync(command, args, { stdio: 'pipe' });

/** Both ranks in one machine, in their own network namespace, so that no other program's bytes are counted. */
export function loopback(): Wire {
  const namespace = `recurra-${process.pid}`;
  run('ip', 'netns', 'add', namespace);
  run('ip', '-n', namespace, 'link', 'set', 'lo', 'up');
  return {
    name: 'one machine',
    prefix: () => ['ip', 'netns', 'exec', namespace],
    environment: { MASTER_ADDR: '127.0.0.1', GLOO_SOCKET_IFNAME: 'lo' },
    close: () => void run('ip', 'netns', 'del', namespace),
  };
}

/** Each rank in a network namespace, with a wire between them that stands for a network. */
export async function wire(megabits: number, milliseconds: number): Promise<Wire> {
  const names = [0, 1].map((rank) => `recurra-${process.pid}-${rank}`);
  for (const name of names) run('ip', 'netns', 'add', name);
  let relay: ChildProcess | undefined;
  const close = () => {
    relay?.kill();
    for (const name of names) run('ip', 'netns', 'del', name);
  };
  try {
    const program = fileURLToPath(new URL('relay.py', import.meta.url));
    relay = spawn('python3', [program, ...names, String(milliseconds)], { stdio: ['ignore', 'pipe', 'inherit'] });
    await Promise.race([
      once(relay.stdout!, 'data'),
      once(relay, 'exit').then(([code]) => Promise.reject(new Error(`the relay ended with code ${code}`))),
    ]);
    const limit = ['rate', `${megabits}mbit`, 'burst', '128kb', 'latency', '100ms'];
    for (const name of names) run('tc', '-n', name, 'qdisc', 'add', 'dev', 'wire', 'root', 'tbf', ...limit);
  } catch (error) {
    close();
    throw error;
  }
  return {
    name: `${megabits / 1000} Gbit/s, ${milliseconds} ms`,
    prefix: (rank) => ['ip', 'netns', 'exec', names[rank]!],
    environment: { MASTER_ADDR: '10.77.0.1', GLOO_SOCKET_IFNAME: 'wire' },
    close,
  };
}
