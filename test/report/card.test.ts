import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LanguageModel, modelCard, Seq2Seq, TextClassifier, TextTagger } from '../../src/index.js';
import { COLUMNS, recurra, SMALL, trainedModel } from '../support/cli.js';
import { topicTexts } from '../support/texts.js';

describe('a model card', () => {
  it('has the front matter of model hubs, and what the file tells', async () => {
    const options = { embeddingDim: 8, hiddenSize: 8, epochs: 2, cell: 'gru', seed: 1, validation: 0.2 } as const;
    const rows = topicTexts(90).map(({ text, label }) => ({ text, label: label === 'food' ? 'a|b\n`c`' : label }));
    await using model = await TextClassifier.train(rows, options);
    const card = modelCard(model, { name: 'My "model": 1', file: 'm.safetensors' });
    const [, front, body] = card.split(/^---$/m);
    expect(front!.trim().split('\n').slice(3, 9)).toEqual([
      'library_name: recurra',
      'pipeline_tag: text-classification',
      'tags:',
      '- recurra',
      '- gru',
      '- text-classification',
    ]);
    expect(front).toContain('# license:');
    expect(front).toContain('- name: "My \\"model\\": 1"');
    const { accuracy, loss } = model.kept!.validation!;
    expect(front).toContain(`    - type: accuracy\n      value: ${accuracy}\n`);
    expect(body).toContain(`| loss | ${Number(loss.toPrecision(5))} |`);
    const epochs = model.card!.history.map(({ validation }) => validation as { loss: number; accuracy: number });
    expect(body).toContain('| epoch | loss | accuracy | learning rate | validation loss | validation accuracy |');
    for (const held of epochs)
      expect(body).toContain(`| ${Number(held.loss.toPrecision(5))} | ${Number(held.accuracy.toPrecision(5))} |\n`);
    expect(body).toContain('Trained on 72 rows, measured after each epoch on 18 others.');
    expect(body).toContain(model.card!.data.sha256);
    expect(body).toContain('| hiddenSize | 8 |');
    expect(body).toContain('await TextClassifier.load("m.safetensors")');
    expect(body).toContain("`a|b\\n'c'`");
    // The same training gives the same card.
    await using again = await TextClassifier.train(rows, options);
    expect(modelCard(again, { name: 'My "model": 1', file: 'm.safetensors' })).toBe(card);
  });

  it('names the task of every kind, and needs no validation rows', async () => {
    await using language = await LanguageModel.train(['abcabcabc'], { window: 2, epochs: 1, hiddenSize: 8 });
    const tagged = [
      { tokens: ['Ada', 'wrote'], tags: ['B-PER', 'O'] },
      { tokens: ['he', 'saw', 'Bob'], tags: ['O', 'O', 'B-PER'] },
    ];
    await using tagger = await TextTagger.train(tagged, { epochs: 1, hiddenSize: 8 });
    await using pairs = await Seq2Seq.train([{ source: 'ab', target: 'ba' }], { epochs: 1, hiddenSize: 8 });
    const tasks = [language, tagger, pairs].map((model) => /pipeline_tag: (.*)/.exec(modelCard(model))![1]);
    expect(tasks).toEqual(['text-generation', 'token-classification', 'text2text-generation']);
    expect(modelCard(language)).not.toContain('model-index');
    expect(() => modelCard({} as TextClassifier)).toThrow(/a model/);
  });
});

describe('recurra report and recurra card', () => {
  const { folder, csv, model } = trainedModel();

  it('write a page, a card and the data', () => {
    const page = join(folder, 'report.html');
    const events = join(folder, 'events.jsonl');
    const { out } = recurra(['train', csv, ...COLUMNS, ...SMALL, '--json', '--out', join(folder, 'again.safetensors')]);
    expect(out).toContain('"event":"epoch"');
    const args = ['report', model, csv, ...COLUMNS, '--resamples', '100', '--by', 'topic', '--title', 'Topics'];
    const run = recurra([...args, '--out', page]);
    expect(run.out).toMatch(/report\.html: 400 rows, accuracy [\d.]+ %, macro F1 [\d.]+ %\n$/);
    expect(readFileSync(page, 'utf8')).toContain('<h1>Topics</h1>');
    expect(readFileSync(page, 'utf8')).toMatch(/^<!doctype html>[\s\S]*<\/html>\n$/);
    const data = recurra([...args, '--json'])
      .json()
      .at(-1);
    expect(data).toMatchObject({ event: 'end', out: null, kind: 'classifier', rows: 400 });
    expect(data.groupings[0].groups.map(({ rows }: { rows: number }) => rows)).toEqual([134, 133, 133]);
    const missing = recurra([...args, '--events', events]);
    expect([missing.status, missing.err]).toEqual([1, expect.stringContaining('FILE_NOT_FOUND')]);
    const overwriting = recurra(['report', model, csv, ...COLUMNS, '--out', model]);
    expect([overwriting.status, overwriting.err]).toEqual([2, expect.stringContaining('would overwrite the model')]);
    const card = join(folder, 'README.md');
    expect(recurra(['card', model, '--out', card]).status).toBe(0);
    expect(readFileSync(card, 'utf8')).toBe(recurra(['card', model]).out);
    expect(recurra(['card', model, '--json']).json()[0].card.options.hiddenSize).toBe(16);
    expect(existsSync(page)).toBe(true);
  });
});
