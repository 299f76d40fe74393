/**
 * A day of work in little time: 200,000 training steps and 1,000,000 predictions in one process, single and in bulk, with
 * models made, saved, loaded and closed now and then. Reports by how much resident memory grows, as the slope of a line through
 * its samples after a warm-up; neither work may grow by more than 20 MB over the rest of its run.
 *
 *     npm run bench -- soak [--steps 200000] [--predictions 1000000] [--json]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Random, TextClassifier } from '../src/index.js';
import { runEachMode } from './modes.js';

const LIMIT_MB = 20;
const { values } = parseArgs({
  options: {
    steps: { type: 'string', default: '200000' },
    predictions: { type: 'string', default: '1000000' },
    json: { type: 'boolean', default: false },
    mode: { type: 'string' },
  },
});
const BATCH = 16;
const ROWS = 3_200;
const SMALL = { linear: false, adversarial: 0, embeddingDim: 32, hiddenSize: 32, batchSize: BATCH, lr: 2e-3 } as const;

const random = new Random(7);
const rows = Array.from({ length: ROWS }, (_, row) => {
  const words = Array.from({ length: 1 + random.int(20) }, () => `${'abc'[row % 3]}${random.int(300)}`);
  return { label: `class ${row % 3}`, text: words.join(' ') };
});

const megabytes = () => process.memoryUsage.rss() / 2 ** 20;

/** Resident memory over the units of a work. */
class Curve {
  readonly points: [done: number, megabytes: number][] = [];
  constructor(readonly total: number) {}
  sample(done: number): void {
    this.points.push([done, megabytes()]);
  }
  /** After a fifth, in which the allocator and the garbage collector find their levels. */
  get settled(): [number, number][] {
    return this.points.filter(([done]) => done >= this.total / 5);
  }
  /** Megabytes per million units, by least squares. */
  get slope(): number {
    const points = this.settled;
    const mean = (of: (point: [number, number]) => number) => points.reduce((sum, p) => sum + of(p), 0) / points.length;
    const [x, y] = [mean(([done]) => done), mean(([, value]) => value)];
    const square = mean(([done]) => (done - x) ** 2);
    return square === 0 ? 0 : (mean(([done, value]) => (done - x) * (value - y)) / square) * 1e6;
  }
  get growth(): number {
    return (this.slope * this.total * 0.8) / 1e6;
  }
  get peak(): number {
    return Math.max(...this.points.map(([, value]) => value));
  }
}

async function training(): Promise<Curve> {
  const total = Number(values.steps);
  const curve = new Curve(total);
  const folder = mkdtempSync(join(tmpdir(), 'recurra-soak-'));
  const perEpoch = ROWS / BATCH;
  // Ten trainings one after the other: making and closing belongs to a day's work.
  const epochs = Math.max(1, Math.round(total / perEpoch / 10));
  let done = 0;
  try {
    while (done < total) {
      const model = await TextClassifier.train(rows, {
        ...SMALL,
        epochs,
        seed: done,
        onProgress: ({ kind }) => {
          if (kind !== 'epoch') return;
          done += perEpoch;
          curve.sample(done);
        },
      });
      await model.save(join(folder, 'model'));
      await model.close();
      await (await TextClassifier.load(join(folder, 'model'))).close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return curve;
}

async function predicting(): Promise<Curve> {
  const total = Number(values.predictions);
  const curve = new Curve(total);
  const model = await TextClassifier.train(rows, { ...SMALL, epochs: 1 });
  const every = Math.ceil(total / 200);
  let next = every;
  for (let done = 0; done < total; ) {
    // In turn: many texts in one call, and several callers at the same time.
    const many = rows.slice(0, 500).map(({ text }) => text);
    done += (await model.predictMany(many)).length;
    const single = Array.from({ length: 500 }, (_, i) => model.predict(rows[(done + i) % ROWS]!.text));
    done += (await Promise.all(single)).length;
    if (done >= next) {
      curve.sample(done);
      next += every;
    }
  }
  await model.close();
  return curve;
}

const modes = { 'training steps': training, predictions: predicting };

async function measure(name: keyof typeof modes): Promise<void> {
  const start = performance.now();
  const curve = await modes[name]();
  const seconds = (performance.now() - start) / 1000;
  const { slope, growth, peak, total } = curve;
  const within = growth <= LIMIT_MB;
  if (!within) process.exitCode = 1;
  if (values.json) {
    const figures = {
      name,
      total,
      seconds,
      slopeMbPerMillion: slope,
      growthMb: growth,
      peakMb: peak,
      limitMb: LIMIT_MB,
    };
    console.log(JSON.stringify({ ...figures, within, curve: curve.points }));
    return;
  }
  console.log(`${total} ${name} in ${seconds.toFixed(0)} s, at most ${peak.toFixed(0)} MB resident`);
  const verdict = within ? 'ok' : 'TOO MUCH';
  console.log(`  slope ${slope.toFixed(2)} MB per million, ${growth.toFixed(1)} MB (limit ${LIMIT_MB}): ${verdict}`);
}

if (values.mode !== undefined) {
  await measure(values.mode as keyof typeof modes);
} else {
  runEachMode(Object.keys(modes));
}
