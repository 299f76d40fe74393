import { describe, expect, it } from 'vitest';
import { firstNode, resolveRanks } from '../../src/native/ranks.js';

describe('resolveRanks', () => {
  it('finds a process alone', () => {
    expect(resolveRanks({}, {})).toBeUndefined();
  });

  it('reads the variables of torchrun', () => {
    const env = {
      RANK: '3',
      WORLD_SIZE: '4',
      LOCAL_RANK: '1',
      MASTER_ADDR: 'node1',
      MASTER_PORT: '29500',
      TORCHELASTIC_USE_AGENT_STORE: 'True',
      TORCHELASTIC_RUN_ID: 'job',
      TORCHELASTIC_RESTART_COUNT: '2',
      SLURM_PROCID: '9',
    };
    const expected = {
      rank: 3,
      worldSize: 4,
      localRank: 1,
      masterAddr: 'node1',
      masterPort: 29500,
      served: false,
      run: 'job.2',
    };
    expect(resolveRanks({}, env)).toEqual(expected);
    expect(resolveRanks({ rank: 0, masterAddr: 'a' }, env)).toEqual({
      ...expected,
      rank: 0,
      masterAddr: 'a',
      served: true,
    });
  });

  it('reads the variables of Slurm', () => {
    const env = {
      SLURM_PROCID: '1',
      SLURM_NTASKS: '2',
      SLURM_LOCALID: '0',
      SLURM_JOB_ID: '4711',
      SLURM_JOB_NODELIST: 'gpu[07-09,12],other',
    };
    const ranks = resolveRanks({}, env);
    expect(ranks).toMatchObject({
      rank: 1,
      worldSize: 2,
      localRank: 0,
      masterAddr: 'gpu07',
      served: true,
      run: '4711..0',
    });
    expect(ranks!.masterPort).toBe(12_000 + ((4711 * 7) % 18_000));
    expect(firstNode('a-1,b-[2-3]')).toBe('a-1');
    expect(firstNode('rack[3].site')).toBe('rack3.site');
  });

  it('refuses what is no group', () => {
    expect(() => resolveRanks({}, { RANK: 'x', WORLD_SIZE: '2' })).toThrow(
      'Expected an integer from 0 to 4096 for the environment variable RANK but received string "x"',
    );
    expect(() => resolveRanks({}, { RANK: '0' })).toThrow('worldSize (or WORLD_SIZE) is missing');
    expect(() => resolveRanks({ worldSize: 2 }, {})).toThrow('rank (or RANK) is missing');
    expect(() => resolveRanks({}, { RANK: '2', WORLD_SIZE: '2' })).toThrow(
      'below worldSize (WORLD_SIZE), 2, but received 2',
    );
  });
});
