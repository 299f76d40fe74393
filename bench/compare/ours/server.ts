/**
 * Does recurra's works for the comparison: reads requests from standard input and answers on standard output, a JSON object a line.
 * Only the package's public API is used.
 */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Measured, OurSpec, Timing } from '../types.js';
import { ClassifierTraining } from './classifierTraining.js';
import { predictMany, predictOne } from './predict.js';
import { Prepared } from './prepared.js';
import { ModuleTraining } from './trainModule.js';

type Request = { method: 'hello' | 'drop' } | { method: 'measure'; spec: OurSpec; timing: Timing };

const prepared = new Prepared();

async function measure(spec: OurSpec, timing: Timing): Promise<Measured> {
  if (spec.work === 'train') {
    if (spec.api === 'TextClassifier') {
      const training = await prepared.keep(spec, async () => new ClassifierTraining(spec));
      return training.measure(timing);
    }
    return { value: await prepared.keep(spec, async () => new ModuleTraining(spec)).then((it) => it.measure(timing)) };
  }
  const { model, texts } = await prepared.keep(spec, () => prepared.model(spec));
  return { value: await (spec.work === 'predictOne' ? predictOne : predictMany)(model, texts, timing) };
}

function versions() {
  const manifest = new URL('../../../package.json', import.meta.url);
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };
  return { node: process.version, recurra: version };
}

async function handle(request: Request): Promise<unknown> {
  if (request.method === 'hello') return versions();
  if (request.method === 'measure') return measure(request.spec, request.timing);
  prepared.close();
  return null;
}

for await (const line of createInterface({ input: process.stdin })) {
  let answer: object;
  try {
    answer = { result: await handle(JSON.parse(line) as Request) };
  } catch (error) {
    answer = { error: (error as Error).stack ?? String(error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
