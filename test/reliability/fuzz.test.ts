import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { mutate, numbers } from '../../fuzz/readers/mutate.mjs';
import { seedsOf } from '../../fuzz/readers/seeds.mjs';
import { readerTargets } from '../../fuzz/readers/targets.mjs';
import * as library from '../../src/index.js';

// `npm run fuzz` searches for long; here what it found once, and as many mutations as take a second or two.
const MUTATIONS = 300;
const targets = readerTargets(library, join(import.meta.dirname, '..', 'fixtures', 'models'));
const memory = () => process.resourceUsage().maxRSS / 1024;

describe.each(Object.entries(targets))('any bytes read as %s', (name, run) => {
  it('give rows or a typed error, and take no memory to speak of', async () => {
    const seeds = seedsOf(name);
    expect(seeds.length).toBeGreaterThan(1);
    const before = memory();
    const outcomes = new Set<string>();
    for (const seed of seeds) outcomes.add(await run(seed));
    const below = numbers(1);
    for (let i = 0; i < MUTATIONS; i++) outcomes.add(await run(mutate(seeds, below)));
    expect([...outcomes].some((outcome) => /^(rows|vectors|model) /.test(outcome))).toBe(true);
    expect(memory() - before, 'megabytes').toBeLessThan(400);
  });
});
