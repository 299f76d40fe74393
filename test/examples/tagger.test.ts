import { expect, it } from 'vitest';
import { type NamedText, readNames } from '../../examples/tagger/names.js';

it('holds out names of which none is learned from', async () => {
  const { train, test, names } = await readNames();
  const namesOf = (rows: readonly NamedText[]) =>
    new Set(rows.flatMap(({ text, spans }) => spans.map(({ start, end }) => text.slice(start, end))));
  const [learned, heldOut] = [namesOf(train), namesOf(test)];
  expect([learned.size, heldOut.size]).toEqual([names.train, names.test]);
  expect([...heldOut].filter((name) => learned.has(name))).toEqual([]);
  expect([train.length, test.length]).toEqual([5_023, 1_333]);
  const labels = new Set([...train, ...test].flatMap(({ spans }) => spans.map(({ label }) => label)));
  expect([...labels].sort()).toEqual(['nature', 'person', 'place']);
});
