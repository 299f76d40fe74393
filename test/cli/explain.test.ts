import { spawnSync } from 'node:child_process';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { COMMAND, recurra, trainedModel } from '../support/cli.js';

const { model } = trainedModel();

describe('recurra explain', () => {
  const text = 'The Cat with fur and a zyx tail';
  it('lists what each token contributes, legible without colours', () => {
    for (const method of ['gradientInput', 'occlusion']) {
      const { status, out } = recurra(['explain', model, text, '--method', method]);
      expect(status).toBe(0);
      expect(out).toMatch(/^animal {2}[\d.]+ % {2}logit -?[\d.]+\n/);
      expect(out).toMatch(/^ +[+-][\d.]+ {2}[+ -]{20} {2}Cat$/m);
      expect(out).toMatch(/^.* {2}zyx {2}\(unknown word\)$/m);
      expect(out).not.toContain('\u001b');
    }
  });

  it('colours the text where colours are asked for, unless they are unwanted', () => {
    const coloured = (env: NodeJS.ProcessEnv) =>
      spawnSync(process.execPath, [...COMMAND, 'explain', model, text], {
        encoding: 'utf8',
        env: { ...process.env, NO_COLOR: undefined, FORCE_COLOR: undefined, CI: undefined, ...env },
      }).stdout;
    const [, , , , shown] = coloured({ FORCE_COLOR: '1' }).split('\n');
    // Blue, or on blue, for a word that speaks for the label; underlined where it is unknown.
    expect(shown).toMatch(/\[(34|44)m.*Cat/);
    expect(shown).toContain('\u001b[4mzyx\u001b[24m');
    expect(stripVTControlCharacters(shown!)).toBe(text);
    expect(coloured({ NO_COLOR: '1' })).not.toContain('\u001b');
    expect(coloured({})).not.toContain('\u001b');
    // In the log of a CI job as in any other file.
    expect(coloured({ CI: 'true', GITHUB_ACTIONS: 'true' })).not.toContain('\u001b');
    expect(coloured({ FORCE_COLOR: '0', CI: 'true' })).not.toContain('\u001b');
  });

  it('takes one text, in quotes', () => {
    const { status, err } = recurra(['explain', model, 'the', 'cat']);
    expect([status, err]).toEqual([
      2,
      expect.stringContaining(
        `takes one text but received 2; put the text in quotes: recurra explain ${model} "the cat"`,
      ),
    ]);
  });

  it('with --json gives everything, for the label asked for', () => {
    const [line] = recurra(['explain', model, text, '--label', 'food', '--json']).json();
    expect(line).toMatchObject({
      event: 'explanation',
      text,
      label: 'food',
      predicted: 'animal',
      method: 'occlusion',
      groupSize: 1,
    });
    expect(line.tokens.map(({ token, source, known }: Record<string, unknown>) => [token, source, known])).toEqual([
      ['the', 'The', true],
      ['cat', 'Cat', true],
      ['with', 'with', true],
      ['fur', 'fur', true],
      ['and', 'and', true],
      ['a', 'a', true],
      ['zyx', 'zyx', false],
      ['tail', 'tail', true],
    ]);
  });
});
