import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { SummaryWriter, TextClassifier, type TrainingEvent } from '../../src/index.js';
import { temporaryFolder } from '../support/folder.js';
import { golden } from '../support/safetensors.js';
import { topicTexts } from '../support/texts.js';

const folder = temporaryFolder();
afterEach(() => vi.useRealTimers());

const contents = (place: string) => readdirSync(place).map((name) => readFileSync(join(place, name)));

/** Counts the records of an event file by their lengths, and finds the names of their numbers. */
function records(file: Buffer): string[] {
  const found: string[] = [];
  for (let at = 0; at < file.length; ) {
    const length = Number(file.readBigUInt64LE(at));
    found.push(file.toString('latin1', at + 12, at + 12 + length));
    at += 16 + length;
  }
  return found;
}

describe('SummaryWriter', () => {
  it('writes what TensorBoard itself writes, byte by byte', async () => {
    vi.useFakeTimers({ now: 1_700_000_000_250, toFake: ['Date'] });
    const place = join(folder, 'new', 'run');
    await using writer = new SummaryWriter(place, { purgeStep: 41 });
    writer.addScalar('loss/train', 0.1, 41);
    await writer.flush();
    writer.addScalars({ 'loss/train': 0, 'Genauigkeit/prüf': 1 }, 300);
    writer.addScalar('loss/train', Number.POSITIVE_INFINITY, 5_000_000_000);
    await writer.close();
    const [file] = contents(place);
    expect(readdirSync(place)[0]).toMatch(/^events\.out\.tfevents\.1700000000\./);
    expect(file!.equals(readFileSync(join(golden, 'tensorboard.tfevents')))).toBe(true);
  });

  it('gives two writers of one folder a file each', async () => {
    const place = join(folder, 'two');
    await new SummaryWriter(place).close();
    await new SummaryWriter(place).close();
    expect(contents(place)).toHaveLength(2);
  });

  it('says what could not be written, and refuses what does not fit', async () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    const writer = new SummaryWriter(join(file, 'run'));
    writer.addScalar('a', 1, 0);
    await expect(writer.close()).rejects.toMatchObject({ code: 'IO' });
    expect(() => writer.addScalar('a', 1, 0)).toThrow(/has been closed/);
    await using other = new SummaryWriter(join(folder, 'other'));
    expect(() => other.addScalar('a', 1, -1)).toThrow(/integer of at least 0 for step/);
    expect(() => other.addScalar('', 1, 1)).toThrow(/a name for tag/);
    expect(() => other.addScalar('a', '1' as never, 1)).toThrow(/a number for a/);
    expect(() => new SummaryWriter('')).toThrow(/path of a folder/);
    expect(() => new SummaryWriter('a', { purge: 1 } as never)).toThrow(/Unknown option "purge"/);
  });
});

describe('the option tensorboard of a training', () => {
  const rows = topicTexts(200);
  const options = { embeddingDim: 8, hiddenSize: 6, batchSize: 16, epochs: 2 };

  it('writes loss, accuracy and learning rate, goes on in the same folder, and voids what comes again', async () => {
    const place = join(folder, 'training');
    const checkpoint = join(folder, 'checkpoint');
    let stopped = 0;
    const stopAtEpoch = ({ type, step }: TrainingEvent) => {
      if (type !== 'epoch') return;
      stopped = step;
      run.stop();
    };
    const run = TextClassifier.start(rows, {
      ...options,
      validation: 0.2,
      tensorboard: place,
      checkpoint,
      onEvent: stopAtEpoch,
    });
    (await run.result).close();
    const first = records(contents(place)[0]!);
    expect(first[0]).toContain('brain.Event:2');
    const tags = [
      'loss/train',
      'accuracy/train',
      'learning_rate',
      'samples_per_second',
      'loss/validation',
      'accuracy/validation',
      'loss/epoch',
    ];
    for (const tag of tags)
      expect(
        first.some((record) => record.includes(tag)),
        tag,
      ).toBe(true);
    (await TextClassifier.train(rows, { resume: checkpoint })).close();
    const files = contents(place);
    expect(files).toHaveLength(2);
    // The first step after the checkpoint, as field 2, a varint, and field 7, the session log.
    const restart = String.fromCharCode(0x10, stopped + 1, 0x3a, 2, 8, 1);
    expect(files.map((file) => records(file)[1]!.endsWith(restart)).sort()).toEqual([false, true]);
  });

  it('that names a file ends the training before it begins', async () => {
    const file = join(folder, 'no folder');
    writeFileSync(file, '');
    const training = TextClassifier.train(rows, { ...options, tensorboard: file });
    await expect(training).rejects.toMatchObject({
      code: 'IO',
      message: expect.stringContaining('is a file, not a folder'),
    });
  });

  it('that cannot be written any more warns once, and the training goes on', async () => {
    const place = join(folder, 'taken');
    const warnings: TrainingEvent[] = [];
    const onEvent = (event: TrainingEvent) => {
      // Behind the check, and before the log is opened.
      if (event.type === 'start') writeFileSync(place, '');
      if (event.type === 'warning') warnings.push(event);
    };
    using model = await TextClassifier.train(rows, { ...options, tensorboard: place, onEvent });
    expect(model.history).toHaveLength(2);
    expect(warnings).toMatchObject([{ about: 'tensorboard', error: { code: 'IO' } }]);
  });
});
