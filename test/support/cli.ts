import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect } from 'vitest';
import { temporaryFolder } from './folder.js';
import { topicCsv, topicTexts } from './texts.js';

/** What `node` runs. */
export const COMMAND = ['dist/cli/main.js'];
/** Flags of a small model that learns in a moment. */
export const SMALL = [
  ...['--embedding-dim', '16', '--hidden-size', '16', '--batch-size', '16', '--lr', '0.01', '--seed', '2'],
];
export const COLUMNS = ['--text', 'body', '--label', 'topic'];

/** Runs the command line to its end. */
export function recurra(args: readonly string[], input?: string | Uint8Array) {
  const run = spawnSync(process.execPath, [...COMMAND, ...args], {
    encoding: 'utf8',
    ...(input === undefined ? {} : { input }),
  });
  return {
    status: run.status,
    out: run.stdout,
    err: run.stderr,
    json: () =>
      run.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
  };
}

/** A folder with a table of 400 texts, and where the model is that was trained on it before the tests of a file. */
export function trainedModel() {
  const folder = temporaryFolder();
  const csv = join(folder, 'texts.csv');
  const model = join(folder, 'model.safetensors');
  beforeAll(() => {
    writeFileSync(csv, topicCsv(topicTexts(400)));
    const trained = recurra(['train', csv, ...COLUMNS, ...SMALL, '--out', model]);
    expect(trained.err).toMatch(/epoch 4\/4: loss/);
    expect(trained.status).toBe(0);
  });
  return { folder, csv, model };
}
