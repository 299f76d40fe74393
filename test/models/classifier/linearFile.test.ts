import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ModelFileError, TextClassifier } from '../../../src/index.js';
import { light } from '../../../src/native/light.js';
import { temporaryFolder } from '../../support/folder.js';
import { ALONE, arraysOf, OPTIONS, rows, SMALL } from '../../support/linear.js';

const folder = temporaryFolder();

describe('a file with a linear model', () => {
  const damage = async (
    change: (
      file: Awaited<ReturnType<typeof arraysOf>>,
      described: { formatVersion: number; linear?: unknown; labels: string[] },
    ) => void,
  ) => {
    using model = await TextClassifier.train(rows, OPTIONS);
    const file = await arraysOf(folder, model);
    const described = JSON.parse(file.metadata.model!) as { formatVersion: number; labels: string[] };
    change(file, described);
    const path = join(folder, 'damaged');
    await light().writeSafetensors(path, file.tensors, { ...file.metadata, model: JSON.stringify(described) });
    return TextClassifier.load(path).then(
      () => expect.fail('no error'),
      (error: unknown) => error as ModelFileError,
    );
  };
  const without = (name: string) => (file: { tensors: { name: string }[] }) => {
    file.tensors = file.tensors.filter((one) => one.name !== name);
  };

  it('has a version of its own, and one without keeps the former', async () => {
    using both = await TextClassifier.train(rows, OPTIONS);
    using alone = await TextClassifier.train(rows, { ...SMALL, linear: false });
    expect(JSON.parse((await arraysOf(folder, both)).metadata.model!)).toMatchObject({ formatVersion: 3 });
    const described = JSON.parse((await arraysOf(folder, alone)).metadata.model!) as object;
    expect(described).toMatchObject({ formatVersion: 2 });
    expect(described).not.toHaveProperty('linear');
  });

  it.each<[string, Parameters<typeof damage>[0], RegExp]>([
    ['lacks an array', without('linear.weights'), /linear\.weights is missing/],
    ['lacks the description', without('linear.meta'), /linear\.meta is missing/],
    ['lacks its mix', (_, described) => delete described.linear, /not its mix/],
    ['has a damaged mix', (_, described) => Object.assign(described, { linear: { network: 2 } }), /two numbers/],
    [
      'has no linear model for its mix',
      (file) => {
        file.tensors = file.tensors.filter(({ name }) => !name.startsWith('linear.'));
      },
      /but no linear model/,
    ],
    [
      'has an array of another type',
      (file) => {
        for (const one of file.tensors) if (one.name === 'linear.weights') one.dtype = 'uint8';
      },
      /must be int8, not uint8/,
    ],
    [
      'has damaged numbers',
      (file) => {
        for (const one of file.tensors) if (one.name === 'linear.chars.rows') one.data.fill(255);
      },
      /linear\.chars\.rows is damaged/,
    ],
  ])('that %s is refused', async (_, change, message) => {
    const error = await damage(change);
    expect(error).toBeInstanceOf(ModelFileError);
    expect(error.code).toBe('INVALID_FILE');
    expect(error.message).toMatch(message);
  });

  it('without a network is refused where it has lost that too', async () => {
    using model = await TextClassifier.train(rows, ALONE);
    const file = await arraysOf(folder, model);
    const path = join(folder, 'lost');
    await light().writeSafetensors(path, [], file.metadata);
    await expect(TextClassifier.load(path)).rejects.toThrow(/no linear model/);
  });
});
