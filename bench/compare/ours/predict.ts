import type { TextClassifier } from 'recurra';
import type { Timing } from '../types.js';

/** Median microseconds from a text to its label, one text after the other. */
export async function predictOne(
  model: TextClassifier,
  texts: readonly string[],
  { warmup, seconds }: Timing,
): Promise<number> {
  const times: number[] = [];
  const counted = performance.now() + warmup * 1000;
  const until = counted + seconds * 1000;
  for (let i = 0, now = performance.now(); now < until || times.length === 0; i++) {
    const begun = performance.now();
    await model.predict(texts[i % texts.length]!);
    now = performance.now();
    if (begun >= counted) times.push(now - begun);
  }
  return times.sort((a, b) => a - b)[times.length >> 1]! * 1000;
}

/** Texts a second of `predictMany`, from texts to their labels. */
export async function predictMany(
  model: TextClassifier,
  texts: readonly string[],
  { warmup, seconds }: Timing,
): Promise<number> {
  const run = async (duration: number) => {
    const begun = performance.now();
    let done = 0;
    let elapsed = 0;
    do {
      await model.predictMany(texts, { topK: 1 });
      done += texts.length;
      elapsed = (performance.now() - begun) / 1000;
    } while (elapsed < duration);
    return done / elapsed;
  };
  await run(warmup);
  return run(seconds);
}
