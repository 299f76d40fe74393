import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Turns } from '../../src/core/turns.js';
import { Stops } from '../../src/models/language/stops.js';
import { type Part, readUnits, type UnitChoice, type Units } from '../../src/text/units/index.js';

async function unitsOfParts(choice: Partial<UnitChoice>, given: readonly Part[]) {
  async function* parts() {
    yield* given;
  }
  const all: UnitChoice = { units: 'characters', maxUnits: 65_536, minFreq: 1, memoryUnits: 2 ** 20, ...choice };
  const { stream, ...read } = await readUnits(parts(), all, undefined, undefined);
  const numbers = await stream.read(0, stream.length);
  const inParts: number[] = [];
  for await (const part of stream.parts(7)) inParts.push(...part);
  expect(inParts).toEqual([...numbers]);
  const [from, to] = [Math.min(2, stream.length), Math.max(2, stream.length - 1)];
  expect([...(await stream.slice(from, to).read(0, 1_000))]).toEqual(inParts.slice(from, to));
  await stream.close();
  return { ...read, stream: numbers };
}

function unitsOf(choice: Partial<UnitChoice>, ...texts: string[]) {
  return unitsOfParts(
    choice,
    texts.map((text) => ({ text, continues: false })),
  );
}

function decoded(units: Units, numbers: Iterable<number>): string {
  const decoder = units.decoder();
  let text = '';
  for (const number of numbers) text += decoder.push(number);
  return text;
}

const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 });

describe('units', () => {
  it('are ordered by how often they occur, with the end of each text between', async () => {
    const { units, stream, texts } = await unitsOf({}, 'bab', 'c');
    expect(units.vocab.itos).toEqual(['<unk>', '<eos>', 'b', 'a', 'c']);
    expect([...stream]).toEqual([1, 2, 3, 2, 1, 4, 1]);
    expect(texts).toBe(2);
    const few = await unitsOf({ minFreq: 2 }, 'bab', 'c');
    expect([...few.stream]).toEqual([1, 2, 0, 2, 1, 0, 1]);
  });

  for (const name of ['characters', 'bytes', 'words', 'pieces'] as const) {
    it(`of ${name} are the same in parts that were cut within a character`, async () => {
      const text = '🙂🙂 the cat sat on the 🙂 mat '.repeat(10);
      const choice = { units: name, maxUnits: 400 };
      const parts = Array.from(text.split(''), (half) => ({ text: half, continues: true }));
      const found = await unitsOfParts(choice, [...parts, { text: '', continues: false }]);
      const expected = await unitsOf(choice, text);
      expect(found.units.vocab.itos).toEqual(expected.units.vocab.itos);
      expect(found.stream).toEqual(expected.stream);
    });
  }

  it('of characters take half a character at the end of a text for one', async () => {
    const { units, texts } = await unitsOfParts({}, [{ text: 'a\ud83d', continues: true }]);
    expect(units.vocab.itos).toEqual(['<unk>', '<eos>', 'a', '\ud83d']);
    expect(texts).toBe(1);
  });

  it('of words keep blanks and signs, and spell no special', async () => {
    const { units, stream } = await unitsOf({ units: 'words' }, "It's  <eos> 42, né\n");
    const names = [...stream].map((number) => units.vocab.lookupToken(number));
    expect(names.slice(1, -1)).toEqual(['It', "'", 's', '  ', '<', 'eos', '>', ' 42', ',', ' né', '\n']);
  });

  for (const name of ['characters', 'bytes', 'words', 'pieces'] as const) {
    it(`of ${name} give the text back`, async () => {
      const { units } = await unitsOf(
        { units: name, maxUnits: 400 },
        'the cat sat on the mat. '.repeat(30),
        'é 日本 🙂🙂',
      );
      await fc.assert(
        fc.asyncProperty(text, async (one) => {
          const numbers = await units.encode(one, new Turns());
          const known = numbers.every((number) => number !== units.vocab.defaultIndex);
          if (known) expect(decoded(units, numbers)).toBe(one);
        }),
        { numRuns: 60 },
      );
      const own = 'the mat. 日本🙂é';
      if (name !== 'words') expect(decoded(units, await units.encode(own, new Turns()))).toBe(own);
    });
  }
});

describe('texts that are larger than memory', () => {
  const blanks = fc.string({
    unit: fc.constantFrom('a', 'b', ' ', '\n', '7', '.', 'é', '🙂', '\u0301'),
    maxLength: 30,
  });

  for (const name of ['characters', 'bytes', 'words'] as const) {
    it(`have the same ${name} from a file, whatever the parts are`, async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(blanks, { minLength: 1, maxLength: 6 }),
          fc.integer({ min: 1, max: 9 }),
          async (parts, memoryUnits) => {
            const whole = await unitsOf({ units: name }, parts.join(''));
            const given = parts.map((text, at) => ({ text, continues: at + 1 < parts.length }));
            const inFile = await unitsOfParts({ units: name, memoryUnits }, given);
            expect([...inFile.stream]).toEqual([...whole.stream]);
            expect(inFile.units.vocab.itos).toEqual(whole.units.vocab.itos);
            expect(inFile.texts).toBe(1);
          },
        ),
        { numRuns: 60 },
      );
    });
  }
});

describe('stop strings', () => {
  it('end a text before the first of them, wherever it was cut', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 40 }),
        fc.array(fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 4 }), { maxLength: 3 }),
        fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 9 }),
        (whole, stops, cuts) => {
          // Read character by character: the first end of one of them counts, and there the longest.
          const ends = Array.from(whole, (_, i) => stops.filter((stop) => whole.slice(0, i + 1).endsWith(stop)));
          const end = ends.findIndex((found) => found.length > 0);
          const kept = end < 0 ? whole.length : end + 1 - Math.max(...ends[end]!.map((stop) => stop.length));
          const stopping = new Stops(stops);
          let given = '';
          for (let at = 0, i = 0; at < whole.length; i++) {
            const size = cuts[i % cuts.length]!;
            given += stopping.push(whole.slice(at, at + size));
            at += size;
          }
          given += stopping.end();
          expect(given).toBe(whole.slice(0, kept));
        },
      ),
    );
  });
});
