import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { type Ended, freePort, runRank, runRanks } from './ranks.js';

const MEMBER = 'member.mjs';

/** What each process said of its error. */
function errors(ended: readonly Ended[]): Record<string, unknown>[] {
  return ended.flatMap(({ lines }) => lines.filter((line) => 'error' in line));
}

describe.runIf(process.platform === 'linux')('a group of processes', () => {
  it('gathers bytes of any length in the order of the ranks', async () => {
    const ended = await runRanks(MEMBER, ['exchange'], 3);
    for (const { lines, code, stderr } of ended) {
      expect(lines).toMatchObject([{ parts: [0, 1, 2], size: 3 }]);
      expect(stderr).toBe('');
      expect(code).toBe(0);
    }
  });

  it('is formed a second time by the same processes', async () => {
    const ended = await runRanks(MEMBER, ['again'], 2);
    for (const { lines, code } of ended) {
      expect(lines).toMatchObject([{ parts: [0, 1] }]);
      expect(code).toBe(0);
    }
  });

  it('names what two ranks differ in, and both values', async () => {
    const ended = await runRanks(MEMBER, ['differ'], 2);
    for (const { lines, code } of ended) {
      expect(lines).toMatchObject([{ code: 'DISTRIBUTED', typed: true, at: 1 }]);
      expect(lines[0]!.error).toBe(
        'the ranks differ in the options: rank 0 has {"epochs":10}, rank 1 has {"epochs":11}',
      );
      expect(code).toBe(1);
    }
  });

  it('names the rank that was killed, in all others and within 5 s', async () => {
    const ended = await runRanks(MEMBER, ['kill'], 3);
    expect(ended[1]).toMatchObject({ signal: 'SIGKILL', lines: [] });
    const said = errors(ended);
    expect(said).toMatchObject([
      { rank: 0, typed: true, at: 1 },
      { rank: 2, typed: true, at: 1 },
    ]);
    for (const { error, ms } of said) {
      expect(error).toMatch(
        /^rank 1 \(process \d+ on .+\) is lost: its connection broke at call \d+, allGather of 8 bytes$/,
      );
      expect(ms).toBeLessThan(5000);
    }
    expect(ended[0]!.stderr).toBe('');
  });

  it('names the rank that fell silent, after the timeout', async () => {
    const ended = await runRanks(MEMBER, ['stop'], 3, { GROUP_TIMEOUT: '1' }, 6500);
    expect(errors(ended)).toMatchObject([
      { rank: 0, typed: true, at: 1 },
      { rank: 2, typed: true, at: 1 },
    ]);
    expect(errors(ended)[0]!.error).toMatch(/^rank 1 .* did not come to call \d+, allGather of 8 bytes within 1 s$/);
  });

  it('names the calls where two ranks make different ones', async () => {
    const said = errors(await runRanks(MEMBER, ['calls'], 2, { GROUP_TIMEOUT: '1' }));
    expect(said).toHaveLength(2);
    expect(said[0]!.error).toMatch(/do not make the same calls: .*allGather of 8 bytes.*barrier|barrier.*allGather/);
  });

  it('says that a rank has closed its group', async () => {
    const [first, second] = await runRanks(MEMBER, ['leave'], 2);
    expect(first!.lines).toMatchObject([{ typed: true, at: 1 }]);
    expect(first!.lines[0]!.error).toContain('has closed its group');
    expect(second!.code).toBe(0);
  });
});

describe.runIf(process.platform === 'linux')('the start of a group', () => {
  const common = async () => ({ WORLD_SIZE: '2', MASTER_ADDR: '127.0.0.1', MASTER_PORT: `${await freePort()}` });

  it('refuses a port in use', async () => {
    const env = await common();
    const server = createServer().listen(Number(env.MASTER_PORT), '127.0.0.1');
    const { lines } = await runRank(MEMBER, ['exchange'], { ...env, RANK: '0' });
    server.close();
    expect(lines).toMatchObject([{ typed: true }]);
    expect(lines[0]!.error).toContain(`port ${env.MASTER_PORT} of 127.0.0.1 is in use`);
  });

  it('names a master that is not there, and a rank that does not arrive', async () => {
    const env = { ...(await common()), GROUP_TIMEOUT: '1' };
    const second = await runRank(MEMBER, ['exchange'], { ...env, RANK: '1' });
    expect(second.lines[0]!.error).toContain(`does not answer at 127.0.0.1:${env.MASTER_PORT} within 1 s`);
    const first = await runRank(MEMBER, ['exchange'], { ...env, RANK: '0' });
    expect(first.lines).toMatchObject([{ typed: true, at: 1 }]);
    expect(first.lines[0]!.error).toContain('rank 1 of 2 did not arrive');
  });

  it('names two processes of one rank, and groups of two sizes', async () => {
    const env = await common();
    const same = await Promise.all(['0', '1', '1'].map((RANK) => runRank(MEMBER, ['linger'], { ...env, RANK })));
    expect(errors(same)).toMatchObject([{ rank: 1, typed: true, at: 1 }]);
    expect(errors(same)[0]!.error).toMatch(/two processes have rank 1: process \d+ on .* and process \d+ on /);

    const other = await common();
    const sizes = await Promise.all([
      runRank(MEMBER, ['exchange'], { ...other, RANK: '0' }),
      runRank(MEMBER, ['exchange'], { ...other, RANK: '1', WORLD_SIZE: '3' }),
    ]);
    expect(errors(sizes)[0]!.error).toMatch(
      /the ranks differ in the number of processes .*rank \d .* has \d, rank \d .* has \d/,
    );
  });
});
