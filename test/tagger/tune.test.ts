import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { TextTagger, TrainingError, type TuningEvent, tokensInText } from '../../src/index.js';
import { candidatesOf } from '../../src/models/tagger/tuning/space.js';
import { CountScorer, type Counts } from '../../src/tuning/countScore.js';
import { recurra } from '../support/cli.js';
import { temporaryFolder } from '../support/folder.js';
import { placeRows } from '../support/places.js';

const folder = temporaryFolder();
/** A network that learns in a moment. */
const SMALL = { embeddingDim: 8, hiddenSize: 8, subwords: false, epochs: 2, threads: 1, lr: 0.02 } as const;

const counts = (...rows: [hits: number, predicted: number, support: number][]): Counts => ({
  rows: Int32Array.from(rows.keys()),
  hits: Int32Array.from(rows, ([hits]) => hits),
  predicted: Int32Array.from(rows, ([, predicted]) => predicted),
  support: Int32Array.from(rows, ([, , support]) => support),
});

describe('the score of spans', () => {
  it('is the F1 of all of them together', () => {
    const scorer = new CountScorer();
    // Precision 3/4, recall 3/5.
    expect(scorer.score([counts([1, 1, 2], [0, 1, 1]), counts([2, 2, 2])])).toBeCloseTo((2 * 3) / (4 + 5), 12);
    expect(scorer.score([counts([0, 0, 0])])).toBe(0);
    expect(scorer.score([counts([1, 1, 2], [0, 1, 1])], Uint8Array.of(3, 0))).toBeCloseTo((2 * 3) / (3 + 6), 12);
  });

  it('has the standard error of a difference, by sentences', () => {
    const rows = 400;
    const right = (wrong: (row: number) => boolean) =>
      counts(...Array.from({ length: rows }, (_, row): [number, number, number] => [wrong(row) ? 0 : 1, 1, 1]));
    const [first, second] = [right((row) => row < 40), right((row) => row >= 40 && row < 60)];
    const { difference, error } = new CountScorer().difference([second], [first], rows);
    expect(difference).toBeCloseTo(0.05, 12);
    const exact = Math.sqrt((60 / 400 - 0.05 ** 2) / 400);
    expect(error).toBeGreaterThan(0.85 * exact);
    expect(error).toBeLessThan(1.15 * exact);
  });
});

describe('TextTagger.tune', () => {
  it('tries the defaults and others, and gives a model of all rows', async () => {
    const rows = placeRows(60);
    const events: TuningEvent[] = [];
    const onEvent = (event: TuningEvent) => events.push(event);
    const { model, options, winner, leaderboard, verdict } = await TextTagger.tune(rows, {
      ...SMALL,
      trials: 3,
      seed: 5,
      onEvent,
    });
    expect(model.trainedRows).toBe(60);
    expect(events[0]).toMatchObject({ type: 'start', rows: 60, labels: 2, rungs: [1, 3, 5] });
    expect(events.filter(({ type }) => type === 'trial').slice(0, 3)).toMatchObject([
      { name: 'the defaults', options: {}, rung: 1 },
      { name: 'dropout 0.3', options: { dropout: 0.3 }, rung: 1 },
      { name: 'embeddingDropout 0.3', rung: 1 },
    ]);
    expect(events.at(-1)).toMatchObject({ type: 'retrain', rows: 60, name: winner.name });
    expect(leaderboard).toHaveLength(3);
    expect(verdict).toContain(winner.name);
    expect(options).toMatchObject({ ...SMALL, seed: 5 });
    const again = await TextTagger.train(rows, options);
    const texts = placeRows(80)
      .slice(60)
      .map(({ text }) => text);
    expect(await again.predictMany(texts)).toEqual(await model.predictMany(texts));
    await again.close();
    await model.close();
  });

  it('scores what evaluate measures, on the same rows', async () => {
    const rows = placeRows(48);
    const validation = placeRows(72).slice(48);
    const settings = { ...SMALL, epochs: 4 };
    const { leaderboard, model } = await TextTagger.tune(rows, { ...settings, validation, trials: 2, seed: 2 });
    expect(model.trainedRows).toBe(72);
    await model.close();
    const [first] = leaderboard.filter(({ trainings }) => trainings === 1);
    if (first) {
      await using own = await TextTagger.train(rows, { ...settings, ...first.options, seed: 2 });
      const { microAverage, accuracy } = (await own.evaluate(validation)) as never as {
        microAverage: { f1: number };
        accuracy: number;
      };
      expect(first.score).toBeCloseTo(microAverage.f1, 12);
      expect(first.loss).toBeCloseTo(1 - accuracy, 12);
    }
  });

  it('maximises the accuracy of tags without a scheme', async () => {
    const rows = Array.from({ length: 30 }, (_, i) =>
      i % 2 === 0
        ? { tokens: ['the', 'dog', 'runs'], tags: ['DET', 'NOUN', 'VERB'] }
        : { tokens: ['a', 'cat', 'sleeps'], tags: ['DET', 'NOUN', 'VERB'] },
    );
    const { model, winner, options } = await TextTagger.tune(rows, { ...SMALL, epochs: 8, trials: 2, seed: 1 });
    expect([model.scheme, options.scheme]).toEqual([undefined, null]);
    expect(winner.score).toBe(1);
    await model.close();
  });

  it('leaves given options alone', () => {
    const names = [...candidatesOf(100, { lr: 0.1, device: 'cuda' }, 1)].map(({ name }) => name);
    expect(names.length).toBeGreaterThan(60);
    expect(names.filter((name) => /\blr|subwords/.test(name))).toEqual([]);
    expect([...candidatesOf(100, { lr: 0.1, device: 'cuda' }, 1)].map(({ name }) => name)).toEqual(names);
  });

  it('refuses what does not fit, and stops with the best so far', async () => {
    await expect(TextTagger.tune([], SMALL)).rejects.toMatchObject({ code: 'EMPTY_DATASET' });
    await expect(TextTagger.tune('rows.conll' as never)).rejects.toThrow(/an array, or a reader/);
    await expect(TextTagger.tune([{ text: 'a' } as never], SMALL)).rejects.toMatchObject({ code: 'INVALID_ROW' });
    await expect(TextTagger.tune(placeRows(9), { metric: 'f1' } as never)).rejects.toThrow(/Unknown option "metric"/);
    const stop = new AbortController();
    const onEvent = ({ type }: TuningEvent) => type === 'trial' && stop.abort();
    const stopped = TextTagger.tune(placeRows(30), { ...SMALL, trials: 9, signal: stop.signal, onEvent });
    const error = await stopped.catch((reason: unknown) => reason as TrainingError<TextTagger>);
    expect(error).toBeInstanceOf(TrainingError);
    expect(error).toMatchObject({ code: 'ABORTED', model: expect.any(TextTagger) });
    await (error as TrainingError<TextTagger>).model!.close();
  });
});

describe('recurra tune --task tag', () => {
  it('shows each trial and the best settings, and saves the model', () => {
    const [file, out] = [join(folder, 'rows.conll'), join(folder, 'model')];
    const sentences = placeRows(40).map(({ text, spans }) =>
      tokensInText(text).map(({ token, start }) => {
        const span = spans.find((each) => start >= each.start && start < each.end);
        return `${token} ${span === undefined ? 'O' : `${start === span.start ? 'B' : 'I'}-${span.label}`}\n`;
      }),
    );
    writeFileSync(file, sentences.map((lines) => `${lines.join('')}\n`).join(''));
    const small = ['--embedding-dim', '8', '--hidden-size', '8', '--epochs', '2', '--subwords', '0', '--threads', '1'];
    const {
      status,
      err,
      out: shown,
    } = recurra(['tune', file, '--task', 'tag', ...small, '--trials', '2', '--out', out]);
    expect([status, err]).toEqual([
      0,
      expect.stringMatching(/40 rows, 2 labels\nrung 1, trial 1: [\d.]+ % the defaults/),
    ]);
    expect(shown).toMatch(
      /: 40 rows, 2 labels, .*; recurra train --task tag .*--scheme IOB2.* gives the same model\n$/,
    );
    expect(existsSync(out)).toBe(true);
    const refused = (args: string[], message: RegExp) =>
      expect(recurra(['tune', file, ...args])).toMatchObject({ status: 2, err: expect.stringMatching(message) });
    refused([], /give --task tag/);
    refused(['--task', 'tag', '--metric', 'accuracy'], /--metric does not apply to --task tag/);
    refused(['--task', 'tag', '--label', 'b'], /--label does not apply to --task tag/);
  });
});
