import { counted } from '../../core/counted.js';
import { checkOutputs } from '../../core/outputs.js';
import { duration, jsonLine, note } from '../../core/terminal.js';
import type { UnlabelledText } from '../../data/readers/rows.js';
import type { FileRows } from '../../data/readers/source.js';
import { learnVectors } from '../../text/learned/learnVectors.js';
import { LEARN_VECTORS, type LearnVectorsOptions, type VectorLearningProgress } from '../../text/learned/options.js';
import { givenOptions } from '../flags.js';
import { EXIT } from '../output.js';
import { noteSkipped, openTexts, type TextFlags } from '../rows.js';
import { abortOnSignals, namedTokenizer } from './train.js';

/** Flags of `recurra vectors`. */
export interface VectorsFlags extends TextFlags {
  out: string;
  tokenizer?: string;
  json?: boolean;
}

const SECONDS_BETWEEN_LINES = 5;

/** Shows progress: a JSON line for each report, or an occasional line for people. */
function progressLines(json: boolean): (progress: VectorLearningProgress) => void {
  let last = performance.now();
  return (progress) => {
    if (json) return jsonLine({ event: 'progress', ...progress });
    const now = performance.now();
    if (now - last < SECONDS_BETWEEN_LINES * 1000) return;
    last = now;
    const { phase, texts, words, totalWords, loss, wordsPerSecond, secondsLeft } = progress;
    if (phase === 'reading') return note(`${counted(texts, 'text')} read, ${counted(words, 'word')}`);
    const share = Math.floor((100 * words) / totalWords!);
    const measured = loss === undefined ? '' : `, loss ${loss.toFixed(4)}`;
    note(`${share} %: ${Math.round(wordsPerSecond!)} words/s${measured}, ${duration(secondsLeft!)} left`);
  };
}

async function* textsOf(files: readonly FileRows<UnlabelledText>[]): AsyncGenerator<string, void, undefined> {
  for (const rows of files) for await (const { text } of rows) yield text;
}

/** `recurra vectors`: learns word vectors from files of texts and writes them. */
export async function vectorsCommand(files: string[], flags: VectorsFlags): Promise<number> {
  const inputs = files.map((path) => ({ what: 'a file of texts', path }));
  await checkOutputs([{ option: 'out', what: 'the vectors', path: flags.out }], inputs);
  const options = givenOptions<LearnVectorsOptions>(LEARN_VECTORS, flags);
  if (flags.tokenizer !== undefined) options.tokenizer = await namedTokenizer(flags.tokenizer);
  const json = flags.json === true;
  const rows = files.map((file) => openTexts(file, flags));
  const { signal, release } = abortOnSignals('stopping; nothing is written');
  const began = performance.now();
  let read = 0;
  const show = progressLines(json);
  const onProgress = (progress: VectorLearningProgress) => {
    read = progress.texts;
    show(progress);
  };
  try {
    const vectors = await learnVectors(textsOf(rows), { ...options, signal, onProgress });
    await vectors.save(flags.out);
    for (const file of rows) noteSkipped(file);
    const seconds = (performance.now() - began) / 1000;
    const words = vectors.words.length;
    if (json) jsonLine({ event: 'end', out: flags.out, texts: read, words, dim: vectors.dim, seconds });
    else
      process.stdout.write(
        `${flags.out}: ${counted(words, 'word')} of ${counted(read, 'text')}, ${duration(seconds)}\n`,
      );
    return EXIT.ok;
  } finally {
    release();
  }
}
