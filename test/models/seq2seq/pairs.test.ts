import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  HuggingFaceTokenizer,
  type Pair,
  Seq2Seq,
  type Seq2SeqEvent,
  type Seq2SeqOptions,
} from '../../../src/index.js';
import { temporaryFolder } from '../../support/folder.js';
import { NUMBERS, numberPairs } from '../../support/numbers.js';

const folder = temporaryFolder();
const TINY: Seq2SeqOptions = { ...NUMBERS, epochs: 1 };
const train = (pairs: unknown, options: object = {}) => Seq2Seq.train(pairs as Pair[], { ...TINY, ...options });

describe('pairs', () => {
  it('that do not fit are refused by their place', async () => {
    const good = { source: 'a', target: 'b' };
    await expect(train([])).rejects.toMatchObject({ code: 'EMPTY_DATASET' });
    await expect(train('file.csv')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', option: 'pairs' });
    await expect(train('file.csv')).rejects.toThrow(/\(readPairs reads a file\), for pairs but received string/);
    await expect(train([good, { source: '', target: 'b' }])).rejects.toThrow(/row 1: the source is empty/);
    await expect(train([good, { source: 'a', target: ' \n' }])).rejects.toThrow(/row 1: the target has no unit/);
    await expect(train([{ ...good, references: [''] }])).rejects.toMatchObject({ code: 'INVALID_ROW' });
    await expect(train([{ source: 'a' }])).rejects.toMatchObject({ option: 'pairs[0].target' });
    await expect(train([null])).rejects.toMatchObject({ option: 'pairs[0].source' });
    await expect(train([{ ...good, references: 'b' }])).rejects.toMatchObject({ option: 'pairs[0].references' });
    const long = train([good, { source: 'a', target: 'b '.repeat(1_203) }]);
    await expect(long).rejects.toThrow(/row 1: the target has 1,203 units, more than maxLength, 1,000/);
    const line = { source: 'abc', target: 'b', line: 7 };
    await expect(train([good, line], { maxLength: 2 })).rejects.toMatchObject({ code: 'INVALID_ROW', line: 7 });
    await expect(train([good], { minFreq: 5 })).rejects.toMatchObject({ option: 'minFreq' });
    await expect(train([good], { validation: 0.5 })).rejects.toMatchObject({ code: 'EMPTY_DATASET' });
    await expect(train([good], { validation: [] })).rejects.toThrow(/no validation pairs/);
    await expect(train([good], { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' });
  });

  it('options that do not fit are refused by their names', async () => {
    const pairs = numberPairs(4);
    const refused = (options: object, option: string) =>
      expect(train(pairs, options)).rejects.toMatchObject({ name: 'ArgumentError', option });
    await refused({ attention: 'none' }, 'attention');
    await refused({ sourceUnits: 'phonemes' }, 'sourceUnits');
    await refused({ scheduledSampling: 2 }, 'scheduledSampling');
    await refused({ labelSmoothing: 1 }, 'labelSmoothing');
    await refused({ targetUnits: 'pieces', maxPieces: 100 }, 'maxPieces');
    await refused({ sourceTokenizer: 'tokenizer.json' }, 'sourceTokenizer');
    await refused({ device: 'cuda' }, 'device');
    await using model = await train(pairs);
    const predict = (options: object) => model.predict('1', options);
    await expect(predict({ beamSize: 0 })).rejects.toMatchObject({ option: 'beamSize' });
    await expect(predict({ nBest: 2 })).rejects.toThrow(/at most beamSize, 1, for nBest/);
    await expect(predict({ maxLength: 0 })).rejects.toMatchObject({ option: 'maxLength' });
    await expect(predict({ beams: 2 })).rejects.toMatchObject({ option: 'beams' });
    await expect(model.predict(7 as never)).rejects.toMatchObject({ option: 'source' });
    await expect(model.predict(['1', 7] as never)).rejects.toMatchObject({ option: 'sources[1]' });
    await expect(model.evaluate([])).rejects.toMatchObject({ code: 'EMPTY_DATASET' });
    await expect(model.evaluate([{ source: '1', target: '' }])).rejects.toMatchObject({ code: 'INVALID_ROW' });
  });

  it('of one source are on one side of a validation share', async () => {
    const pairs = Array.from({ length: 60 }, (_, i) => ({ source: `${i % 30}`, target: i < 30 ? 'a' : 'b' }));
    const events: Seq2SeqEvent[] = [];
    await using model = await train(pairs, { validation: 0.2, onEvent: (event: Seq2SeqEvent) => events.push(event) });
    expect(events.find(({ type }) => type === 'start')).toMatchObject({ rows: 48, validationRows: 6 });
    const warned = events.filter(({ type }) => type === 'warning');
    expect(warned.map((event) => 'error' in event && event.error)).toMatchObject([{ code: 'OUT_OF_RANGE' }]);
    expect(model.trainedRows).toBe(48);
  });

  it('hold any text: NUL, half characters, spelled specials, blanks', async () => {
    const odd = ['\0', '\ud800', 'a\udc00b', '<unk>', '<eos>', ' x ', '🙂\u200d', 'a\r\nb', '\ufeff'];
    const pairs = odd.flatMap((text, i) => [
      { source: text, target: `${i}` },
      { source: `${i}`, target: text },
    ]);
    for (const units of ['characters', 'tokens', 'words', 'bytes'] as const) {
      const trained = pairs.filter(({ source, target }) => units !== 'tokens' || (source.trim() && target.trim()));
      await using model = await train(trained, { sourceUnits: units, targetUnits: units });
      const path = join(folder, `odd-${units}`);
      await model.save(path);
      await using loaded = await Seq2Seq.load(path, { threads: 1 });
      const answers = await loaded.predict(odd);
      expect(answers).toEqual(await model.predict(odd));
      expect(answers.every(({ units }) => !units.includes('<unk>') && !units.includes('<eos>'))).toBe(true);
    }
  });
});

describe('units', () => {
  it('are pieces that are learned, or those of a tokenizer, on either side', async () => {
    const pairs = numberPairs(150);
    const tokenizer = await HuggingFaceTokenizer.learn(
      pairs.map(({ target }) => target),
      300,
    );
    const options = { sourceUnits: 'bytes', targetUnits: undefined, targetTokenizer: tokenizer, epochs: 25 } as const;
    await using model = await train(pairs, options);
    await using learned = await train(pairs, {
      sourceUnits: 'pieces',
      targetUnits: 'pieces',
      maxPieces: 300,
      epochs: 25,
    });
    for (const [i, made] of [model, learned].entries()) {
      expect(made.units).toEqual({ source: i ? 'pieces' : 'bytes', target: 'pieces' });
      const path = join(folder, `pieces-${i}`);
      await made.save(path);
      await using loaded = await Seq2Seq.load(path, { threads: 1 });
      const sources = pairs.map(({ source }) => source);
      const answers = await loaded.predict(sources);
      expect(answers).toEqual(await made.predict(sources));
      const right = answers.filter(({ text }, at) => text === pairs[at]!.target).length;
      // A number that is one piece is learned by heart.
      expect(right).toBeGreaterThan(i ? 25 : 90);
      const { units, text } = answers.find((each) => each.text.includes(' '))!;
      expect(units.length).toBeLessThan(text.length);
    }
  });
});
