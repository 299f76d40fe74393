import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { recurra } from '../support/cli.js';

describe('a flag that a command does not have', () => {
  it.each([
    // What differs by a letter or two neighbours, or is a part of one flag.
    ['serve m --hots x', '(Did you mean --host?)'],
    ['serve m --prot 80', '(Did you mean --port?)'],
    ['train f --batchSize 3', '(Did you mean --batch-size?)'],
    ['train f --hidden 3', '(Did you mean --hidden-size?)'],
    ['predict m --topk=3', '(Did you mean --top-k?)'],
    ['libtorch install --cudaa', '(Did you mean --cuda?)'],
    ['--versoin', '(Did you mean --version?)'],
    // What is called otherwise elsewhere.
    ['train f --learning-rate 3', '(Did you mean --lr?)'],
    ['train f --gpu', '(Did you mean --device cuda?)'],
    ['train f --linear', '(This is the default; --no-linear turns it off)'],
    ['serve --model m', '(The model is given without a flag: recurra serve <model>)'],
    ['evaluate m --input f', '(The file is given without a flag: recurra evaluate <model> <file>)'],
    ['predict m --input f', '(Did you mean --file?)'],
    // What is not there, and what is done instead.
    [
      'serve m --cors example.com',
      "recurra serve sends no CORS headers: let the server of your page pass requests on; see 'From a web page' in docs/serving.md",
    ],
    [
      'serve m --cors=*',
      "recurra serve sends no CORS headers: let the server of your page pass requests on; see 'From a web page' in docs/serving.md",
    ],
    ['serve m --https', 'recurra serve has no TLS: put a proxy in front of it; docs/serving.md has one for nginx'],
    ['serve m --workers 4', 'recurra serve is one process that computes with several threads: give --threads <n>'],
  ])('%s', (line, advice) => {
    const { status, err } = recurra(line.split(' '));
    const [error, said] = err.split('\n');
    expect([status, error]).toEqual([2, expect.stringMatching(/^error: unknown option '--/)]);
    expect(said).toBe(advice);
  });

  it.each(['serve m --zzz', 'train f --cors x', 'train f --size 3', 'serve m -x'])(
    'is not taken for another one: %s',
    (line) => {
      const { status, err } = recurra(line.split(' '));
      expect([status, err.split('\n')[1]]).toEqual([2, 'Run recurra --help or recurra <command> --help for details.']);
    },
  );

  it('is explained in guides that exist', () => {
    expect(readFileSync('docs/serving.md', 'utf8')).toMatch(/^### From a web page$/m);
  });
});

it('a value that does not fit is refused before the model is read', () => {
  const { status, err } = recurra(['serve', 'not-there.safetensors', '--port', '99999']);
  expect([status, err]).toEqual([
    2,
    'recurra: Expected an integer from 0 to 65535 for --port but received number 99999 [OUT_OF_RANGE]\n',
  ]);
});
