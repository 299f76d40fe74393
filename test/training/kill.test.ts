import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { Random, TextClassifier, type TrainOptions } from '../../src/index.js';
import { light } from '../../src/native/light.js';
import { temporaryFolder } from '../support/folder.js';
import { topicTexts } from '../support/texts.js';

/** How often a training is killed; a long run sets more. */
const ROUNDS = Number(process.env.RECURRA_KILL_ROUNDS ?? 8);

const folder = temporaryFolder();
const script = fileURLToPath(new URL('../support/killable.mjs', import.meta.url));
const rows = topicTexts(240);
const options: TrainOptions = {
  embeddingDim: 8,
  hiddenSize: 6,
  batchSize: 16,
  epochs: 3,
  lr: 1e-2,
  dropout: 0.2,
  embeddingDropout: 0.1,
  validation: 0.2,
  seed: 3,
  threads: 1,
};

async function checksumOf(model: TextClassifier): Promise<string> {
  const file = join(folder, 'compared');
  await model.save(file);
  return (await light().readSafetensors(file, 1 << 30)).metadata.sha256!;
}

/** Runs a training in a process of its own and kills that some milliseconds after its line number `lines`. */
async function killed(checkpoint: string, lines: number, milliseconds: number): Promise<'killed' | 'done'> {
  const arguments_ = [script, checkpoint, JSON.stringify(options), JSON.stringify(rows)];
  const child = spawn(process.execPath, arguments_, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exit = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  let seen = 0;
  for await (const line of createInterface(child.stdout)) {
    expect(line).toMatch(/^(prepare|start|step|validation|epoch|checkpoint|end) \d+$/);
    if (++seen >= lines) break;
  }
  await delay(milliseconds);
  child.kill('SIGKILL');
  const [code, signal] = await exit;
  if (signal === 'SIGKILL') return 'killed';
  expect(code).toBe(0);
  return 'done';
}

it(
  `goes on to the same model, killed at ${ROUNDS} random moments`,
  async () => {
    using whole = await TextClassifier.train(rows, options);
    const expected = await checksumOf(whole);
    const random = new Random(Number(process.env.RECURRA_KILL_SEED ?? 1));
    let kills = 0;
    for (let checkpoint = 0; kills < ROUNDS; checkpoint++) {
      const path = join(folder, `checkpoint ${checkpoint}`);
      // Some trainings are killed again when they go on.
      for (let again = random.int(3); again >= 0 && kills < ROUNDS; again--) {
        if ((await killed(path, random.int(90), 4 * random.float())) === 'killed') kills++;
        if (existsSync(path)) (await TextClassifier.load(path)).close();
      }
      using resumed = await TextClassifier.train(rows, { ...options, checkpoint: path, resume: true });
      expect(await checksumOf(resumed), path).toBe(expected);
    }
  },
  ROUNDS * 10_000,
);
