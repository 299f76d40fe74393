/**
 * Resident memory over 10,000 small training steps, in two ways: by `trainEpoch`, which tidies up after each step, and
 * by a plain async loop that leaves every tensor to the garbage collector. Neither may grow by more than 20 MB after
 * its warm-up (medians of the first and the last quarter of the samples).
 *
 *     node --import tsx bench/memory.ts [--steps 10000] [--json]
 */
import { setImmediate } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type Batch, nn, optim, randint, type Tensor, trainEpoch } from '../src/torch/index.js';
import { runEachMode } from './modes.js';

const LIMIT_MB = 20;
const { values } = parseArgs({
  options: {
    steps: { type: 'string', default: '10000' },
    json: { type: 'boolean', default: false },
    mode: { type: 'string' },
  },
});
const steps = Number(values.steps);
// Until then garbage has once reached the level at which V8 collects it (64 MB outside its heap), and the allocator
// keeps that.
const warmUp = Math.ceil(steps / 5);
const every = Math.ceil(steps / 40);

class Net extends nn.Module {
  embedding = new nn.Embedding(1000, 64);
  rnn = new nn.LSTM(64, 32, { batchFirst: true });
  fc = new nn.Linear(32, 4);
  forward(x: Tensor, lengths: Int32Array): Tensor {
    const packed = nn.utils.rnn.packPaddedSequence(this.embedding.forward(x), lengths, {
      batchFirst: true,
      enforceSorted: false,
    });
    return this.fc.forward(this.rnn.forward(packed)[1][0].at(-1));
  }
}

function makeBatch(): Batch {
  const lengths = Int32Array.from({ length: 16 }, (_, i) => 1 + ((i * 7) % 20));
  return [randint(0, 4, [16]), randint(0, 1000, [16, 20]), lengths];
}

const megabytes = () => process.memoryUsage.rss() / 2 ** 20;

class Curve {
  readonly points: [step: number, megabytes: number][] = [];
  sample(step: number): void {
    if (step % every === 0 || step === warmUp) this.points.push([step, megabytes()]);
  }
  // The allocator and the garbage collector make single samples wander by some MB in both directions; what stays is
  // growth.
  get growth(): number {
    const after = this.points.filter(([step]) => step >= warmUp).map(([, value]) => value);
    const quarter = Math.ceil(after.length / 4);
    return median(after.slice(-quarter)) - median(after.slice(0, quarter));
  }
  get peak(): number {
    return Math.max(...this.points.map(([, value]) => value));
  }
}

const median = (list: number[]) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)]!;

async function byTrainEpoch(): Promise<Curve> {
  const curve = new Curve();
  function* loader(): Generator<Batch> {
    for (let step = 1; step <= steps; step++) {
      yield makeBatch();
      curve.sample(step);
    }
  }
  await trainEpoch(new Net(), loader(), { lr: 1e-3 });
  return curve;
}

async function byFinalizers(): Promise<Curve> {
  const curve = new Curve();
  const net = new Net();
  const optimizer = new optim.Adam(net.parameters());
  const lossFn = new nn.CrossEntropyLoss();
  for (let step = 1; step <= steps; step++) {
    const [labels, x, lengths] = makeBatch() as [Tensor, Tensor, Int32Array];
    optimizer.zeroGrad();
    lossFn.forward(net.forward(x, lengths), labels).backward();
    optimizer.step();
    await setImmediate();
    curve.sample(step);
  }
  return curve;
}

const modes = { trainEpoch: byTrainEpoch, 'async loop without tidy': byFinalizers };

async function measure(name: keyof typeof modes): Promise<void> {
  const start = performance.now();
  const curve = await modes[name]();
  const seconds = (performance.now() - start) / 1000;
  const { growth, peak, points } = curve;
  const within = growth <= LIMIT_MB;
  if (!within) process.exitCode = 1;
  if (values.json) {
    const figures = { name, steps, seconds, growthMb: growth, peakMb: peak, limitMb: LIMIT_MB, within, curve: points };
    console.log(JSON.stringify(figures));
    return;
  }
  console.log(`${name}: ${steps} steps in ${seconds.toFixed(1)} s`);
  for (const [step, value] of points) {
    const bar = '#'.repeat(Math.round((50 * value) / peak));
    console.log(`  ${String(step).padStart(6)} ${value.toFixed(1).padStart(7)} MB ${bar}`);
  }
  const verdict = within ? 'ok' : 'TOO MUCH';
  console.log(`  growth after ${warmUp} steps: ${growth.toFixed(1)} MB (limit ${LIMIT_MB}): ${verdict}`);
}

if (values.mode !== undefined) {
  await measure(values.mode as keyof typeof modes);
} else {
  runEachMode(Object.keys(modes));
}
