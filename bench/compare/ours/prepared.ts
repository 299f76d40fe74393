import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TextClassifier } from 'recurra';
import type { OurSpec } from '../types.js';
import { Texts } from './texts.js';
import { trainOptions, trainUntil } from './training.js';

/** Texts of one call of `predictMany`, at most, and their tokens. */
const MANY = { texts: 16_384, tokens: 500_000 };
const ONE = { texts: 2_000, tokens: 44 };

/** What the worker keeps between repetitions. */
export class Prepared {
  readonly #kept = new Map<string, { close(): void }>();
  #texts: { folder: string; texts: Texts } | undefined;

  /** The texts of a folder; those of the last one are kept. */
  texts(folder: string): Texts {
    if (this.#texts?.folder !== folder) this.#texts = { folder, texts: new Texts(folder) };
    return this.#texts.texts;
  }

  /** What `make` made when it was last called for this work. */
  async keep<T extends { close(): void }>(spec: OurSpec, make: () => Promise<T>): Promise<T> {
    const key = JSON.stringify(spec);
    let kept = this.#kept.get(key) as T | undefined;
    if (kept === undefined) {
      kept = await make();
      this.#kept.set(key, kept);
    }
    return kept;
  }

  /** A model that has seen some batches, and texts for it to label. */
  async model(spec: OurSpec): Promise<{ model: TextClassifier; texts: string[]; close(): void }> {
    const all = this.texts(spec.folder);
    const trained = await trainUntil(all.sentences(), trainOptions(spec.shape, spec.threads), () => true);
    const model = spec.recurrentWeights === undefined ? trained : await loadedAgain(trained, spec);
    const texts: string[] = [];
    if (spec.work === 'predictOne') {
      const { tokens } = all.dataset;
      for (let i = 0; i < ONE.texts; i++) {
        texts.push(all.words(tokens.subarray(i * ONE.tokens, (i + 1) * ONE.tokens)).join(' '));
      }
    } else {
      for (let i = 0, tokens = 0; i < Math.min(MANY.texts, all.dataset.length) && tokens < MANY.tokens; i++) {
        const row = all.dataset.row(i);
        tokens += row.tokens.length;
        texts.push(all.words(row.tokens).join(' '));
      }
    }
    return { model, texts, close: () => model.close() };
  }

  /** Frees everything. */
  close(): void {
    for (const kept of this.#kept.values()) kept.close();
    this.#kept.clear();
    this.#texts = undefined;
  }
}

/** The same model, loaded from a file as `spec` says. */
async function loadedAgain(trained: TextClassifier, { recurrentWeights, threads }: OurSpec): Promise<TextClassifier> {
  const folder = mkdtempSync(join(tmpdir(), 'recurra-bench-'));
  try {
    const file = join(folder, 'model');
    await trained.save(file);
    return await TextClassifier.load(file, { threads, ...(recurrentWeights && { recurrentWeights }) });
  } finally {
    trained.close();
    rmSync(folder, { recursive: true });
  }
}
