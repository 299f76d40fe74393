/**
 * Repeats training steps that PyTorch made (see exchange.py): the same initial weights, the same rows in the same order.
 *
 *   node --import tsx scripts/lesson/replay.ts FILE...
 *
 * prints for each file the largest difference of a step's loss, and ends with exit code 1 if one is above 1e-4.
 */
import { pathToFileURL } from 'node:url';
import { padLength } from 'recurra/lesson';
import { loadFile, nn, optim, type Tensor, tidy } from 'recurra/torch';
import { MODELS } from '../../examples/lesson/models.js';
import { LESSON_PADDING } from '../../examples/lesson/train.js';

/** Steps that are compared: afterwards rounding, which a training amplifies, begins to show. */
export const STEPS = 50;

/** Largest difference of a loss that counts as equal. */
export const TOLERANCE = 1e-4;

/** What {@link replay} returns. */
export interface Replay {
  /** Name of the network, as the command `lesson` has it. */
  network: string;
  /** PyTorch's loss of each step. */
  expected: number[];
  /** Ours. */
  losses: number[];
  /** Largest difference of a parameter's element from PyTorch's after all steps, by name; empty if the file does not say. */
  weightDifferences: Record<string, number>;
}

/** Repeats all steps of a file. */
export async function replay(path: string): Promise<Replay> {
  const { tensors, metadata } = await loadFile(path);
  const network = metadata.network!;
  const [vocabSize, embedding, hidden, classes, batch] = ['vocabSize', 'embedding', 'hidden', 'classes', 'batch'].map(
    (name) => Number(metadata[name]),
  ) as [number, number, number, number, number];
  const model = MODELS[network]!;
  using net = model.make(vocabSize, embedding, hidden, classes);
  net.loadStateDict(withoutPrefix(tensors, 'initial.'));

  const flat = (name: string) => tensors[name]!.toTypedArray() as Int32Array;
  const [tokens, lengths, labels] = [flat('tokens'), flat('lengths'), flat('labels')];
  let at = 0;
  const rows = Array.from(lengths, (length, i) => {
    at += length;
    return { label: labels[i]!, tokens: tokens.subarray(at - length, at) };
  });

  using optimizer = new optim.Adam(net.parameters(), { lr: 1e-3 });
  const lossFn = new nn.CrossEntropyLoss();
  const forward = net.forward as (...inputs: unknown[]) => Tensor;
  const losses: number[] = [];
  for (let first = 0; first < rows.length; first += batch) {
    const loss = tidy(() => {
      const [y, x, n] = padLength(rows.slice(first, first + batch), { paddingValue: LESSON_PADDING });
      optimizer.zeroGrad();
      const value = lossFn.forward(model.packed ? forward.call(net, x, n) : forward.call(net, x), y);
      value.backward();
      optimizer.step();
      return value.item();
    });
    losses.push(loss);
  }
  const final = withoutPrefix(tensors, 'final.');
  const weightDifferences: Record<string, number> = {};
  for (const [name, value] of Object.entries(net.stateDict())) {
    const expected = final[name];
    if (expected) weightDifferences[name] = tidy(() => value.sub(expected).abs().max().item());
  }
  return { network, expected: Array.from(tensors.losses!.toTypedArray() as Float64Array), losses, weightDifferences };
}

/** Largest difference between two lists of losses in their first `steps`. */
export function largestDifference({ expected, losses }: Replay, steps = STEPS): number {
  if (expected.length < steps || losses.length !== expected.length) throw new Error(`expected ${steps} steps or more`);
  return Math.max(...losses.slice(0, steps).map((loss, i) => Math.abs(loss - expected[i]!)));
}

function withoutPrefix(tensors: nn.StateDict, prefix: string): nn.StateDict {
  const names = Object.keys(tensors).filter((name) => name.startsWith(prefix));
  return Object.fromEntries(names.map((name) => [name.slice(prefix.length), tensors[name]!]));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  for (const path of process.argv.slice(2)) {
    const result = await replay(path);
    const difference = largestDifference(result);
    const [first, last] = [result.losses[0]!, result.losses[STEPS - 1]!];
    console.log(
      `${result.network}: ${STEPS} steps, loss ${first.toFixed(4)} to ${last.toFixed(4)}, largest difference from PyTorch ${difference.toExponential(1)}`,
    );
    if (!(difference <= TOLERANCE)) process.exitCode = 1;
  }
}
