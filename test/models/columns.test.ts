import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  LanguageModel,
  readPairs,
  readRows,
  readTags,
  readTexts,
  Seq2Seq,
  TextClassifier,
  TextTagger,
} from '../../src/index.js';
import { light } from '../../src/native/light.js';
import { temporaryFolder } from '../support/folder.js';

const folder = temporaryFolder();
const closing: { close(): Promise<void> }[] = [];
afterAll(async () => {
  for (const model of closing) await model.close();
});

function write(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const kept = <M extends { close(): Promise<void> }>(model: M): M => {
  closing.push(model);
  return model;
};
const lines = (count: number, line: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => line(i)).join('\n');
const tickets = write(
  'tickets.csv',
  `subject,body,queue\n${lines(60, (i) => (i % 2 ? 'bill,invoice is wrong,billing' : 'app,login fails,tech'))}\n`,
);
const small = { embeddingDim: 4, hiddenSize: 4, epochs: 1, seed: 1 } as const;

/** The model after saving and loading. */
async function reloaded<M extends { save(path: string): Promise<void> }>(model: M, load: (path: string) => Promise<M>) {
  const path = join(folder, 'model.safetensors');
  await model.save(path);
  return load(path);
}

describe('the columns of the training rows', () => {
  it('are kept by a classifier, and read other rows in the same way', async () => {
    const columns = { text: ['subject', 'body'], label: 'queue' };
    const model = kept(await TextClassifier.train(readRows([tickets], columns), { recurrent: false, seed: 1 }));
    expect(model.columns).toEqual(columns);
    const loaded = kept(await reloaded(model, TextClassifier.load));
    expect(loaded.columns).toEqual(columns);
    expect((await loaded.evaluate(readRows(tickets, loaded.columns))).rows).toBe(60);
    const smaller = kept(await loaded.compress({ bits: 8 }).catch(() => loaded));
    expect(smaller.columns).toEqual(columns);
    const { text, label } = loaded.columns!;
    expect([text, label]).toEqual([['subject', 'body'], 'queue']);
  });

  it('are kept with a network, in a checkpoint, and when a training resumes', async () => {
    const checkpoint = join(folder, 'run.checkpoint');
    const rows = readRows(tickets, { text: 2, label: 3, header: true });
    const model = kept(await TextClassifier.train(rows, { ...small, linear: false, checkpoint }));
    const columns = { text: 2, label: 3, header: true };
    expect(model.columns).toEqual(columns);
    expect(kept(await TextClassifier.load(checkpoint)).columns).toEqual(columns);
    const resumed = kept(await TextClassifier.train(rows, { resume: checkpoint, epochs: 2 }));
    expect(resumed.columns).toEqual(columns);
    expect(kept(await resumed.compress({ bits: 8 })).columns).toEqual(columns);
  });

  it('are kept by models of other kinds', async () => {
    const pairs = write('pairs.csv', `from,to\n${lines(8, (i) => `a${i},b${i}`)}\n`);
    const seq2seq = kept(await Seq2Seq.train(readPairs(pairs, { source: 'from', target: 'to' }), { ...small }));
    expect(kept(await reloaded(seq2seq, Seq2Seq.load)).columns).toEqual({ source: 'from', target: 'to' });
    const language = kept(await LanguageModel.train(readTexts(tickets, { text: 'body' }), { ...small }));
    expect(kept(await reloaded(language, LanguageModel.load)).columns).toEqual({ text: 'body' });
    const spans = write(
      'spans.jsonl',
      lines(8, () => '{"body":"Ada slept","marks":[{"start":0,"end":3,"label":"PER"}]}'),
    );
    const tagger = kept(await TextTagger.train(readTags(spans, { text: 'body', spans: 'marks' }), { ...small }));
    expect(kept(await reloaded(tagger, TextTagger.load)).columns).toEqual({ text: 'body', spans: 'marks' });
    const conll = write(
      'names.conll',
      lines(8, () => 'Ada B-PER\nslept O\n'),
    );
    expect(kept(await TextTagger.train(readTags(conll), { ...small })).columns).toBe(undefined);
  });

  it('are not there for rows without columns and in older files', async () => {
    const rows = Array.from({ length: 40 }, (_, i) => ({ text: i % 2 ? 'a b' : 'c d', label: i % 2 ? 'x' : 'y' }));
    const model = kept(await TextClassifier.train(rows, { recurrent: false, seed: 1 }));
    expect(model.columns).toBe(undefined);
    expect(kept(await TextClassifier.load('test/fixtures/models/v3.safetensors')).columns).toBe(undefined);
  });

  it('that a file has in another form are ignored', async () => {
    const columns = { text: 'body', label: 'queue' };
    const model = kept(await TextClassifier.train(readRows(tickets, columns), { recurrent: false, seed: 1 }));
    const path = join(folder, 'changed.safetensors');
    await model.save(path);
    const { tensors, metadata } = await light().readSafetensors(path, 1 << 30);
    const { sha256: _, ...rest } = metadata;
    const described = JSON.parse(metadata.model!) as object;
    for (const [written, read] of [
      [{ text: 7.5, label: 'queue', later: { a: 1 } }, { label: 'queue' }],
      ['body', undefined],
    ] as const) {
      await light().writeSafetensors(path, tensors, {
        ...rest,
        model: JSON.stringify({ ...described, columns: written }),
      });
      expect(kept(await TextClassifier.load(path)).columns).toEqual(read);
    }
  });
});
