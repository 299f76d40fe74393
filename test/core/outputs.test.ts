import { linkSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { checkOutputs } from '../../src/core/outputs.js';
import { TextClassifier } from '../../src/index.js';
import { temporaryFolder } from '../support/folder.js';
import { topicTexts } from '../support/texts.js';

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
const rows = { what: 'the file of the rows', path: at('rows.csv') };
const model = (path: string) => ({ option: 'out', what: 'the model', path });

beforeAll(() => {
  for (const name of ['rows.csv', 'old']) writeFileSync(at(name), 'text,label\n');
  mkdirSync(at('sub'));
  symlinkSync(at('rows.csv'), at('link'));
  symlinkSync(folder, at('folder'));
  linkSync(at('rows.csv'), at('hard'));
});

describe('what a work would write', () => {
  it.each([
    ['', 'INVALID_ARGUMENT', /^Expected the path of a file for out but received string ""$/],
    [
      'rows.csv',
      'INVALID_ARGUMENT',
      /the model would overwrite the file of the rows, .*rows\.csv; give another path for out/,
    ],
    ['link', 'INVALID_ARGUMENT', /overwrite/],
    ['folder/sub/../rows.csv', 'INVALID_ARGUMENT', /overwrite/],
    ['sub', 'IO', /the model cannot be written to .*: it is a folder/],
    ['new/', 'IO', /it is a folder/],
    ['none/model', 'IO', /: there is no folder .*none \(ENOENT\)$/],
    ['rows.csv/model', 'IO', /ENOTDIR/],
    ['x'.repeat(256), 'IO', /ENAMETOOLONG/],
  ])('%j is refused with %s', async (name, code, message) => {
    const before = readdirSync(folder);
    const refused = checkOutputs([model(name && `${folder}/${name}`)], [rows]);
    await expect(refused).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    expect(readdirSync(folder)).toEqual(before);
  });

  it('a device, standard output, and one name or standard input twice are refused', async () => {
    await expect(checkOutputs([model('-')], [])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', option: 'out' });
    await expect(checkOutputs([model('./-')], [])).resolves.toBeUndefined();
    await expect(checkOutputs([model('/dev/null')], [])).rejects.toMatchObject({ code: 'IO' });
    const inputs = ['the rows', 'the texts'].map((what) => ({ what, path: '-' }));
    await expect(checkOutputs([model(at('new'))], inputs)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(/only once, but is given as the rows and as the texts/),
    });
    const twice = [model(at('new')), { ...model(at('sub/../new')), option: 'checkpoint' }];
    await expect(checkOutputs(twice, [])).rejects.toThrow('out and checkpoint both name');
    const log = { option: 'tensorboard', what: 'the log', path: at('old'), folder: true };
    await expect(checkOutputs([log], [])).rejects.toThrow('is a file, not a folder');
  });

  it('anything else may be: a new file, an old one, one more link to the content of an input, a folder in a new one', async () => {
    const before = readdirSync(folder);
    for (const name of ['new', 'old', 'sub/new', 'hard', 'y'.repeat(255)])
      await expect(checkOutputs([model(at(name))], [rows, { what: 'nothing', path: '-' }])).resolves.toBeUndefined();
    const log = { option: 'tensorboard', what: 'the log', path: at('runs/first'), folder: true };
    await expect(checkOutputs([log], [rows])).resolves.toBeUndefined();
    expect(readdirSync(folder)).toEqual(before);
  });
});

it('a training by API does not write over its rows', async () => {
  const read: Iterable<{ text: string; label: string }> = topicTexts(20);
  const ofFile = Object.assign(read, { file: at('rows.csv') });
  const refused = TextClassifier.train(ofFile, { checkpoint: at('link') });
  await expect(refused).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', option: 'checkpoint' });
  await expect(TextClassifier.train(ofFile, { tensorboard: at('old') })).rejects.toMatchObject({ code: 'IO' });
});
