import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { corpusBleu, LanguageModel, Seq2Seq, type Seq2SeqMeasured, TextClassifier } from '../../../src/index.js';
import { temporaryFolder } from '../../support/folder.js';
import { NUMBERS, numberPairs } from '../../support/numbers.js';

const folder = temporaryFolder();
const pairs = numberPairs(240);
let model: Seq2Seq;

beforeAll(async () => {
  model = await Seq2Seq.train(pairs, { ...NUMBERS, validation: 0.1 });
});
afterAll(() => model.close());

describe('a model of pairs', () => {
  it('learns what pairs have in common, and measures it on sources that it has not seen', () => {
    const { validation, loss, accuracy } = model.history.at(-1)!;
    expect(validation).toMatchObject({ rows: 22, accuracy: 1, unitErrorRate: 0 });
    expect(validation!.loss).toBeLessThan(0.2);
    // With labels smoothed by 0.1 over 12 units no loss is below their entropy.
    expect(loss).toBeGreaterThan(0.4);
    expect(accuracy).toBeGreaterThan(0.95);
    expect(model.trainedRows).toBeGreaterThan(200);
    expect(model.units).toEqual({ source: 'characters', target: 'tokens' });
    expect([...model.vocab.itos].sort()).toEqual(['<unk>', '<eos>', ...'0123456789'].sort());
  });

  it('writes what belongs to a source, with its units, score and alignments', async () => {
    const { text, units, sourceUnits, knownUnits, score, alignments, candidates } = await model.predict('407', {
      beamSize: 4,
      nBest: 3,
      alignments: true,
    });
    expect(text).toBe('four zero seven');
    expect(units).toEqual(['four', 'zero', 'seven']);
    expect(sourceUnits).toEqual(['4', '0', '7']);
    expect(knownUnits).toBe(3);
    expect(score).toBeLessThan(0);
    expect(alignments!.map((row) => row.length)).toEqual([3, 3, 3]);
    for (const row of alignments!) expect(row.reduce((sum, weight) => sum + weight)).toBeCloseTo(1, 5);
    expect(candidates.map(({ text }) => text)[0]).toBe(text);
    expect(candidates.length).toBe(3);
    const normalised = candidates.map((each) => each.score / (each.units.length + 1));
    expect([...normalised].sort((a, b) => b - a)).toEqual(normalised);
    expect(new Set(candidates.map((each) => each.text)).size).toBe(3);
  });

  it('answers many sources in their order, each as if alone', async () => {
    const sources = ['12', '', '999', 'x7', '12'];
    const answers = await model.predict(sources);
    expect(answers.map(({ text }) => text).slice(0, 3)).toEqual(['one two', '', 'nine nine nine']);
    expect(answers[1]).toMatchObject({ units: [], score: 0, sourceUnits: [] });
    expect(answers[3]).toMatchObject({ sourceUnits: ['<unk>', '7'], knownUnits: 1 });
    expect(answers[4]).toEqual(answers[0]);
    for (const [i, source] of sources.entries()) expect(await model.predict(source)).toEqual(answers[i]);
    expect(await model.predict([])).toEqual([]);
    expect((await model.predict('12345', { maxLength: 2 })).units.length).toBe(2);
  });

  it('is shared by many callers with other options', async () => {
    const before = model.serving;
    const calls = Array.from({ length: 40 }, (_, i) =>
      i % 2 ? model.predict(String(i)) : model.predict(String(i), { beamSize: 3 }),
    );
    const texts = (await Promise.all(calls)).map(({ text }) => text);
    expect(texts.slice(10, 13)).toEqual(['one zero', 'one one', 'one two']);
    expect(model.serving.texts - before.texts).toBe(40);
    expect(model.serving.batches - before.batches).toBe(2);
    model.setServing({ maxQueue: 1 });
    const [, refused] = await Promise.allSettled([model.predict('1'), model.predict('2')]);
    expect(refused).toMatchObject({ status: 'rejected', reason: { code: 'OVERLOADED' } });
    model.setServing({ maxQueue: 10_000 });
  });

  it('ends a call whose signal is aborted, and only that one', async () => {
    const controller = new AbortController();
    const long = model.predict(new Array<string>(2_000).fill('1234567'), { beamSize: 16, signal: controller.signal });
    const other = model.predict('55');
    setTimeout(() => controller.abort(new Error('enough')), 5);
    await expect(long).rejects.toMatchObject({ code: 'ABORTED', cause: new Error('enough') });
    expect((await other).text).toBe('five five');
    await expect(model.predict('1', { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' });
  });

  it('is measured by exact match, edits by unit and BLEU; any right answer of a source is right', async () => {
    const measured: Seq2SeqMeasured[] = [];
    const held = [
      { source: '12', target: 'one two three' },
      { source: '34', target: 'three four' },
      { source: '12', target: 'one two' },
      { source: '56', target: 'five nine', references: ['six six six'] },
    ];
    const found = await model.evaluate(held, {
      bleuTokenizer: 'none',
      onPrediction: (each) => void measured.push(each),
    });
    expect(found).toMatchObject({ rows: 3, accuracy: 2 / 3, edits: 1, units: 6, unitErrorRate: 1 / 6 });
    expect(measured.map(({ source, text, right, edits }) => [source, text, right, edits])).toEqual([
      ['12', 'one two', true, 0],
      ['34', 'three four', true, 0],
      ['56', 'five six', false, 1],
    ]);
    const references = [['one two three', 'one two'], ['three four'], ['five nine', 'six six six']];
    expect(found.bleu).toEqual(corpusBleu(['one two', 'three four', 'five six'], references, { tokenize: 'none' }));
    // The loss is that of the right answers, without smoothing.
    const [alone, wrong] = [
      await model.evaluate([{ source: '34', target: 'three four' }]),
      await model.evaluate([{ source: '34', target: 'nine nine' }]),
    ];
    const { score } = await model.predict('34');
    expect(alone.loss).toBeCloseTo(-score / 3, 5);
    expect(wrong.loss).toBeGreaterThan(10 * alone.loss);
  });

  it('comes back from its file', async () => {
    const path = join(folder, 'model.safetensors');
    await model.save(path);
    await using loaded = await Seq2Seq.load(path, { threads: 1 });
    expect(loaded.units).toEqual(model.units);
    expect(loaded.settings).toEqual(model.settings);
    const options = { beamSize: 3, nBest: 2, alignments: true };
    expect(await loaded.predict(['123', '4'], options)).toEqual(await model.predict(['123', '4'], options));
    await loaded.save(join(folder, 'again.safetensors'));
    expect(readFileSync(join(folder, 'again.safetensors'))).toEqual(readFileSync(path));
    await expect(TextClassifier.load(path)).rejects.toThrow(/kind "classifier", but it is a "seq2seq"/);
    await expect(Seq2Seq.train(pairs, { resume: path })).rejects.toMatchObject({ code: 'INVALID_FILE' });
    const text = join(folder, 'language');
    await using language = await LanguageModel.train(['abcabc'], { window: 2, epochs: 1, hiddenSize: 8 });
    await language.save(text);
    await expect(Seq2Seq.load(text)).rejects.toThrow(/kind "seq2seq", but it is a "language"/);
    await expect(Seq2Seq.load(join(folder, 'none'))).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
  });

  it('resumes from a checkpoint to the very same model', async () => {
    const path = join(folder, 'checkpoint');
    const options = { ...NUMBERS, epochs: 4, validation: 0.1, scheduledSampling: 0.3 };
    await using whole = await Seq2Seq.train(pairs, options);
    const run = Seq2Seq.start(pairs, { ...options, checkpoint: { path, everySteps: 5 } });
    for await (const { step } of run) if (step >= 40) run.stop();
    await (await run.result).close();
    await using resumed = await Seq2Seq.train(pairs, { resume: path });
    const bytes = await Promise.all(
      [whole, resumed].map(async (each, i) => {
        await each.save(join(folder, `resumed-${i}`));
        return readFileSync(join(folder, `resumed-${i}`));
      }),
    );
    expect(bytes[0]!.equals(bytes[1]!)).toBe(true);
    await expect(Seq2Seq.train(pairs.slice(1), { resume: path })).rejects.toMatchObject({ code: 'DATA_MISMATCH' });
  });

  it('gives the same weights for any number of threads', async () => {
    const files = await Promise.all(
      [1, 2].map(async (threads) => {
        await using made = await Seq2Seq.train(pairs, { ...NUMBERS, epochs: 2, threads });
        await made.save(join(folder, `threads-${threads}`));
        return readFileSync(join(folder, `threads-${threads}`));
      }),
    );
    expect(files[0]!.equals(files[1]!)).toBe(true);
  });

  it('is closed once, after what is under way', async () => {
    const made = await Seq2Seq.train(pairs.slice(0, 20), { ...NUMBERS, epochs: 1 });
    const late = made.predict(['1', '2']);
    await made.close();
    expect((await late).length).toBe(2);
    await expect(made.predict('1')).rejects.toMatchObject({ code: 'DISPOSED' });
  });
});
