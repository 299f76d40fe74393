import { constraint } from '../../core/errors.js';
import { printable } from '../../core/printable.js';
import { jsonLine } from '../../core/terminal.js';
import { plainTranslation } from '../../models/seq2seq/plain.js';
import { type Seq2SeqPredictOptions, TRANSLATE } from '../../models/seq2seq/prediction.js';
import type { Seq2Seq } from '../../models/seq2seq/seq2seq.js';
import { placeOf } from '../answering.js';
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
    model,
    texts,
    file,
    flags,
    (block) => model.predict(block, options),
    (row, answer) => {
      if (json) {
        jsonLine({ event: 'prediction', source: row.text, ...placeOf(row), ...plainTranslation(answer) });
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
