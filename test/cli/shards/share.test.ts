import { describe, expect, it } from 'vitest';
import { shareOf, typedShare } from '../../../src/cli/shards/share.js';

const slurm = (id: number, min: number, count: number, step = 1) => ({
  SLURM_ARRAY_TASK_ID: String(id),
  SLURM_ARRAY_TASK_MIN: String(min),
  SLURM_ARRAY_TASK_COUNT: String(count),
  SLURM_ARRAY_TASK_STEP: String(step),
});

describe('the share of a process', () => {
  it('is all, or what a flag says', () => {
    expect(shareOf({}, slurm(3, 1, 9))).toEqual({ index: 0, count: 1 });
    expect(shareOf({ shard: typedShare('3/100') }, {})).toEqual({ index: 2, count: 100 });
    for (const wrong of ['0/3', '4/3', '1', '1/0', 'a/b', '1/3/5', '-1/3'])
      expect(() => typedShare(wrong)).toThrow('Expected a share, such as 1/100 to 100/100, or auto.');
  });

  it('is that of a task of Slurm, Kubernetes or AWS Batch', () => {
    const auto = { shard: 'auto' } as const;
    // Tasks may begin at any number, and not follow one another by one.
    expect(shareOf(auto, slurm(0, 0, 100))).toEqual({ index: 0, count: 100 });
    expect(shareOf(auto, slurm(100, 1, 100))).toEqual({ index: 99, count: 100 });
    expect(shareOf(auto, slurm(7, 1, 4, 2))).toEqual({ index: 3, count: 4 });
    expect(shareOf({ ...auto, shards: 20 }, { JOB_COMPLETION_INDEX: '19' })).toEqual({ index: 19, count: 20 });
    expect(shareOf(auto, { JOB_COMPLETION_INDEX: '5', JOB_COMPLETIONS: '6' })).toEqual({ index: 5, count: 6 });
    const batch = { AWS_BATCH_JOB_ARRAY_INDEX: '1', AWS_BATCH_JOB_ARRAY_SIZE: '2' };
    expect(shareOf(auto, batch)).toEqual({ index: 1, count: 2 });
  });

  it.each([
    // Tasks 5 and 9 alone: their numbers say nothing of the others.
    [
      { shard: 'auto' as const },
      slurm(9, 5, 2),
      /cannot tell the share.*SLURM_ARRAY_TASK_ID=9.*SLURM_ARRAY_TASK_MIN=5/,
    ],
    [
      { shard: 'auto' as const },
      { JOB_COMPLETION_INDEX: '0' },
      /JOB_COMPLETIONS is not set; set it in the Job's manifest/,
    ],
    [{ shard: 'auto' as const, shards: 2 }, { JOB_COMPLETION_INDEX: '2' }, /JOB_COMPLETION_INDEX=2, --shards 2/],
    [{ shard: 'auto' as const }, { JOB_COMPLETION_INDEX: 'x' }, /a whole number in JOB_COMPLETION_INDEX, which is "x"/],
    [{ shard: 'auto' as const }, {}, /found no job array: none of SLURM_ARRAY_TASK_ID, JOB_COMPLETION_INDEX/],
    [{ shard: 'auto' as const }, { ...slurm(0, 0, 1), JOB_COMPLETION_INDEX: '0' }, /found several job arrays/],
    [{ shards: 2 }, {}, /--shards .* needs --shard auto/],
    [{ shard: 'auto' as const, shards: 0 }, {}, /at least 1 for --shards/],
  ])('is refused where it is in doubt: %j %j', (flags, environment, message) => {
    expect(() => shareOf(flags, environment)).toThrow(message);
  });
});
