import { light } from '../native/light.js';
import { AT_ONCE_WORK, type EngineConfig, type ExplainingEngine } from './engine.js';
import { nativeChunk, nativeConfig, nativeOptions } from './native.js';
import { tokenWork } from './network.js';
import { writingEngine } from './writing.js';

/** Texts of this many characters are not tried synchronously: splitting them takes tens of microseconds. */
const LONG_TEXT = 4_096;

/** Tokens of a chunk on the CPU: some tens of milliseconds of work, so that stopping is prompt. */
export const CPU_CHUNK_TOKENS = 16_384;

/** The engine on this package's own CPU kernels: the default. It needs no libtorch. */
export function kernelEngine(config: EngineConfig): ExplainingEngine {
  const native = new (light().CpuNetwork)(nativeConfig(config), config.ownForms);
  if (config.recurrentWeights === 'int8') native.roundRecurrentWeights();
  const ofWords = !config.subwords || config.ownForms !== undefined;
  const work = tokenWork(config);
  const atOnce = Math.floor(AT_ONCE_WORK / work / (config.members ?? 1));
  // After the weights change, the first prediction packs them, which takes too long for the event loop. Once as many
  // tokens as the vocabulary has were read, its input projections are worth keeping.
  let ready = false;
  let seen = 0;
  let changes = 0;
  const changed = () => {
    ready = false;
    seen = 0;
    changes++;
  };
  const count = (tokens: number) => {
    const before = seen;
    seen += tokens;
    // A failure here is harmless: predictions continue without the table. Forms that come with the texts have no table.
    if (ofWords && before < config.vocabSize && seen >= config.vocabSize) native.prepare().catch(() => {});
  };
  const scoreTextNow: NonNullable<ExplainingEngine['scoreTextNow']> = (encoder, text, row) => {
    if (!ready || text.length > LONG_TEXT) return false;
    if (!native.scoreTextNow(encoder.native, text, atOnce, row)) return false;
    count(row[row.length - 2]!);
    return true;
  };
  const scoreTexts: NonNullable<ExplainingEngine['scoreTexts']> = async (encoder, texts) => {
    const before = changes;
    const scored = await native.scoreTexts(encoder.native, texts);
    ready ||= before === changes;
    return scored;
  };
  return {
    train: (chunk, options) => {
      changed();
      return native.trainBatches(nativeChunk(chunk), nativeOptions(options), chunk.forms);
    },
    scores: async (tokens, lengths, forms) => {
      const before = changes;
      const scores = await native.scores(tokens, lengths, false, forms);
      // A training may have changed the weights since.
      ready ||= before === changes;
      return scores;
    },
    scoresNow: (tokens, lengths, forms) => {
      if (!ready || tokens.length > atOnce) return undefined;
      count(tokens.length);
      return native.scoresNow(tokens, lengths, forms) ?? undefined;
    },
    // The addon reads a text as ids, not forms, and gives it one score per class.
    ...(config.head.kind === 'classes' && ofWords && { scoreTextNow, scoreTexts }),
    chunkTokens: CPU_CHUNK_TOKENS,
    workPerToken: work,
    setWordVectors: (words, vectors) => {
      changed();
      return native.setWordVectors(words, vectors);
    },
    state: () => native.state(),
    loadState: (entries) => {
      changed();
      return native.loadState(entries);
    },
    loadHeld: ({ file, except }) => {
      changed();
      return native.loadHeld(file, except);
    },
    trainingState: (weights) => native.trainingState(weights),
    restore: (entries) => {
      changed();
      return native.restore(entries);
    },
    rawScores: (tokens, lengths, forms) => native.scores(tokens, lengths, true, forms),
    distribute: (table) => native.distribute(table),
    measure: (tokens, lengths, tags, forms) => native.measure(tokens, lengths, tags, forms),
    explain: (tokens, output, forms) => native.explain(tokens, output, forms),
    writing: writingEngine(native, light()),
    close: () => native.close(),
  };
}
