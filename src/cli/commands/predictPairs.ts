import { constraint } from '../../core/errors.js';
import { printable } from '../../core/printable.js';
import { jsonLine } from '../../core/terminal.js';
import { plainTranslation } from '../../models/seq2seq/plain.js';
import { type Seq2SeqPredictOptions, TRANSLATE } from '../../models/seq2seq/prediction.js';
import type { Seq2Seq } from '../../models/seq2seq/seq2seq.js';
import { givenOptions } from '../flags.js';
import { EXIT } from '../output.js';
import type { TextFlags } from '../rows.js';
import { answerTexts, onOneLine } from './textBlocks.js';

/** Flags of `recurra predict` for a sequence-to-sequence model. */
export interface PairPredictFlags extends TextFlags {
  file?: string;
  json?: boolean;
}

/** Writes the targets of source texts from the arguments, a file, or standard input. */
export async function predictPairs(model: Seq2Seq, texts: string[], flags: PairPredictFlags): Promise<number> {
  const { file = texts.length > 0 ? undefined : '-', json = false } = flags;
  const options = givenOptions<Seq2SeqPredictOptions>(TRANSLATE, flags);
  if (options.alignments && !json)
    throw constraint('alignments', '--alignments needs --json, which has room for the weights');
  const line = (text: string) => `${printable(onOneLine(text))}\n`;
  await answerTexts(
    texts,
    file,
    flags,
    (block) => model.predict(block, options),
    ({ text: source, line: place }, answer) => {
      if (json) {
        // Rows may have been skipped; the line number identifies this one.
        const position = place === undefined ? {} : { line: place };
        jsonLine({ event: 'prediction', source, ...position, ...plainTranslation(answer) });
      } else if ((options.nBest ?? 1) === 1) {
        process.stdout.write(line(answer.text));
      } else {
        for (const [rank, { score, text }] of answer.candidates.entries())
          process.stdout.write(`${rank + 1}\t${score.toFixed(4)}\t${line(text)}`);
      }
    },
  );
  return EXIT.ok;
}
