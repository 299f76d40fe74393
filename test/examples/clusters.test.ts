import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createProgram } from '../../src/cli/program.js';

/** The scripts and manifests for clusters: what they call exists, as it is spelled there. */
describe.each(['slurm/predict.sh', 'slurm/train.sh', 'kubernetes/predict.yaml', 'kubernetes/pytorchjob.yaml'])(
  'examples/%s',
  (file) => {
    const text = readFileSync(`examples/${file}`, 'utf8')
      .split('\n')
      .filter((line) => !/^\s*#/.test(line))
      .join('\n')
      .replaceAll('\\\n', ' ');
    const called = /\brecurra,? (predict|train)\b/.exec(text);

    it('calls a command with flags that it has', () => {
      const command = createProgram(() => {}).commands.find((each) => each.name() === called?.[1]);
      expect(command).toBeDefined();
      const known = new Set(command!.options.map(({ long }) => long));
      const behind = text.slice(called!.index);
      const flags = [...behind.matchAll(/(?<![\w-])--[a-z][a-z-]*/g)].map(([flag]) => flag);
      expect(flags.length).toBeGreaterThan(2);
      expect(flags.filter((flag) => !known.has(flag))).toEqual([]);
    });
  },
);
