import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { recurra, trainedModel } from '../support/cli.js';

const { folder, csv, model } = trainedModel();
const path = (...names: string[]) => join(folder, ...names);
const imported = join(import.meta.dirname, '../fixtures/imported');

describe('recurra export', () => {
  it('writes each form, and names its files', () => {
    mkdirSync(path('onnx'));
    const graph = recurra(['export', model, '--to', 'onnx', '--out', path('onnx', 'm.onnx')]);
    const files = ['m.onnx', 'featurize.py', 'featurize.mjs'].map((name) => path('onnx', name));
    expect([graph.status, graph.out]).toEqual([0, `${files.join('\n')}\n`]);
    expect(readdirSync(path('onnx')).sort()).toEqual(['featurize.mjs', 'featurize.py', 'm.onnx']);
    const [end] = recurra(['export', model, '--to', 'pytorch', '--out', path('torch'), '--json']).json();
    expect(end).toMatchObject({ event: 'end', to: 'pytorch', notes: [] });
    expect(end.files.map((file: string) => file.slice(path('torch').length + 1)).sort()).toEqual(
      readdirSync(path('torch')).sort(),
    );
    expect(recurra(['export', model, '--to', 'vec', '--out', path('m.vec')]).status).toBe(0);
    expect(readFileSync(path('m.vec'), 'utf8')).toMatch(/^\d+ 16\n/);
  });

  it.each<[string[], number, RegExp]>([
    [['--to', 'vec'], 2, /required option '--out <path>'/],
    [['--to', 'tflite', '--out', 'x'], 2, /Allowed choices are onnx, pytorch, vec/],
    [['--to', 'vec', '--out', model], 2, /would overwrite the model/],
    [['--to', 'onnx', '--out', path('none', 'm.onnx')], 1, /there is no folder/],
    [['--to', 'pytorch', '--out', csv], 1, /is a file, not a folder/],
  ])('refuses %j', (flags, code, message) => {
    const before = readdirSync(folder);
    const { status, err } = recurra(['export', model, ...flags]);
    expect([status, err]).toEqual([code, expect.stringMatching(message)]);
    expect(readdirSync(folder)).toEqual(before);
  });

  it('overwrites no file of somebody else', () => {
    mkdirSync(path('mine'));
    writeFileSync(path('mine', 'featurize.py'), 'print("mine")\n');
    const { status, err } = recurra(['export', model, '--to', 'onnx', '--out', path('mine', 'm.onnx')]);
    expect([status, err]).toEqual([
      2,
      expect.stringMatching(/featurize\.py already exists and was not written by recurra/),
    ]);
    expect(readdirSync(path('mine'))).toEqual(['featurize.py']);
  });
});

describe('recurra similar', () => {
  it('shows the most similar words, as text and as JSON', () => {
    const { status, out } = recurra(['similar', model, 'cat', '--top', '2']);
    const lines = out.trimEnd().split('\n');
    expect([status, lines.length]).toEqual([0, 2]);
    const [shown] = recurra(['similar', model, 'cat', '--top', '2', '--json']).json();
    expect(shown).toMatchObject({ event: 'similar', word: 'cat' });
    const near = shown.similar as { word: string; similarity: number }[];
    expect(lines).toEqual(near.map(({ word, similarity }) => `${similarity.toFixed(4)}  ${word}`));
    expect(near[0]!.similarity).toBeGreaterThanOrEqual(near[1]!.similarity);
  });

  it.each<[string[], RegExp]>([
    [['zyx'], /does not know the word "zyx"/],
    [['CAT'], /does not know the word "CAT"; it knows "cat"/],
    [[''], /a word for word/],
    [['cat', '--top', '0'], /option '--top <n>' argument '0' is invalid\. Expected a whole number of at least 1/],
  ])('refuses %j', (args, message) => {
    const { status, err } = recurra(['similar', model, ...args]);
    expect([status, err]).toEqual([2, expect.stringMatching(message)]);
  });
});

describe('recurra import', () => {
  const lstm = join(imported, 'lstm.pt');
  const vocab = ['--vocab', join(imported, 'lstm.json')];

  it('makes a model that predicts', () => {
    const [end] = recurra(['import', lstm, ...vocab, '--out', path('lstm'), '--json']).json();
    expect(end).toMatchObject({ event: 'end', out: path('lstm'), labels: ['0', '1', '2'], words: 12 });
    const [prediction] = recurra(['predict', path('lstm'), 'the cat', '--json']).json();
    expect(prediction).toMatchObject({ event: 'prediction', knownTokens: 2 });
    const { out } = recurra(['import', lstm, ...vocab, '--out', path('lstm')]);
    expect(out).toMatch(/lstm: \d x lstm of \d+ .* on vectors of \d+, 12 words, 3 labels\n$/);
  });

  it.each<[string[], number, RegExp]>([
    [[lstm], 2, /--vocab is required/],
    [[lstm, '--vocab', path('none')], 1, /none: no such file/],
    [[csv, ...vocab], 1, /expected a state dict/],
    [[model, ...vocab], 1, /expected a network of one nn\.Embedding/],
    [[lstm, ...vocab, '--tokenizer', 'words'], 2, /for --tokenizer but received string "words"/],
  ])('refuses %j, and writes nothing', (args, code, message) => {
    const { status, err } = recurra(['import', ...args, '--out', path('refused')]);
    expect([status, err]).toEqual([code, expect.stringMatching(message)]);
    expect(readdirSync(folder)).not.toContain('refused');
  });
});
