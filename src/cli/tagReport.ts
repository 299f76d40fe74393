import { counted } from '../core/counted.js';
import { printable } from '../core/printable.js';
import { percent } from '../core/terminal.js';
import { formatClassificationReport, formatConfusions } from '../measures/format.js';
import type { TaggingEvaluation, TagMistake } from '../measures/tagging.js';

/** Mistakes shown. */
const SHOWN = 10;

function mistakeLine({ text, truth, predicted, count, context: { before, after, line } }: TagMistake): string {
  const words = (label: string | null) => (label === null ? 'nothing' : printable(label));
  const place = line === undefined ? '' : ` (line ${line})`;
  const around = printable(`${before} [${text}] ${after}`.trim());
  return `${String(count).padStart(5)}  ${words(truth)} taken for ${words(predicted)}: ${around}${place}`;
}

/** The evaluation of a tagger, as text. */
export function tagReport(evaluation: TaggingEvaluation): string {
  const { sentences, tokens, accuracy, calibration, mistakes } = evaluation;
  const labels = evaluation.scheme === undefined ? evaluation.labels : ['O', ...evaluation.labels];
  const confusions = formatConfusions({ ...evaluation, labels } as Parameters<typeof formatConfusions>[0]);
  const parts = [
    `labels by F1, the lowest first\n${formatClassificationReport(evaluation)}`,
    ...(confusions ? [`tokens most often taken for another label\n${confusions}`] : []),
    ...(mistakes.length > 0 ? [`most frequent mistakes\n${mistakes.slice(0, SHOWN).map(mistakeLine).join('\n')}`] : []),
    `${counted(sentences, 'sentence')}, ${counted(tokens, 'token')}, token accuracy ${percent(accuracy)}` +
      (evaluation.scheme === undefined ? '' : `, F1 ${percent(evaluation.microAverage.f1)}`) +
      `, calibration error ${percent(calibration.error)}`,
  ];
  return parts.join('\n\n');
}
