import { basename } from 'node:path';
import { counted } from '../../core/counted.js';
import { printable } from '../../core/printable.js';
import { jsonLine, percent } from '../../core/terminal.js';
import { compareModels, type DifferingRow, type ModelComparison } from '../../inspection/compare.js';
import { labelWords } from '../../inspection/labels.js';
import { COMPARE, type CompareOptions } from '../../inspection/options.js';
import type { Evaluation } from '../../measures/evaluation.js';
import { type DeviceFlag, deviceOption } from '../device.js';
import { givenOptions } from '../flags.js';
import { LABELLED_COLUMNS, withModelColumns } from '../modelColumns.js';
import { EXIT, fileFields } from '../output.js';
import { readingDisplay } from '../reading.js';
import { checkReadAgain, noteSkipped, noteWarnings, openRows, type RowFlags } from '../rows.js';
import { loadModel } from '../tasks.js';
import { abortOnSignals } from './train.js';

/** Flags of `recurra compare`. */
export interface CompareFlags extends RowFlags, DeviceFlag {
  json?: boolean;
}

/** Measures side by side. */
const MEASURES: readonly [name: string, of: (evaluation: Evaluation) => string][] = [
  ['accuracy', ({ accuracy }) => percent(accuracy)],
  ['macro F1', ({ macroAverage }) => percent(macroAverage.f1)],
  ['loss', ({ loss }) => loss.toFixed(4)],
];

const points = (share: number) => `${share > 0 ? '+' : ''}${(100 * share).toFixed(2)}`;

function verdict({ interval: [low, high], pValue }: ModelComparison, second: string): string {
  if (pValue >= 0.05) return 'The difference may be chance.';
  return `${second} is ${low > 0 || high > 0 ? 'better' : 'worse'}, by more than chance explains.`;
}

function rowsOf(title: string, found: ModelComparison['lost'], names: readonly [string, string]): string[] {
  if (found.rows === 0) return [];
  const words = (labels: readonly string[]) => labelWords(labels).join(', ') || 'no label';
  const line = ({ row, labels, first, second, text }: DifferingRow) =>
    `  row ${row} [${words(labels ?? [])}] ${names[0]}: ${words(first)}, ${names[1]}: ${words(second)}: ${printable(text)}`;
  return [[`${title}: ${counted(found.rows)}`, ...found.examples.map(line)].join('\n')];
}

function report(found: ModelComparison, names: readonly [string, string]): string {
  const width = Math.max(...names.map((name) => name.length), 9);
  const head = `${''.padEnd(9)} ${names.map((name) => name.padStart(width)).join(' ')}`;
  const lines = MEASURES.map(
    ([name, of]) =>
      `${name.padEnd(9)} ${[found.first, found.second].map((each) => of(each).padStart(width)).join(' ')}`,
  );
  const { difference, interval, pValue, bothRight, bothWrong, onlyFirst, onlySecond, rows } = found;
  const [low, high] = interval;
  return [
    [head, ...lines].join('\n'),
    `difference ${points(difference)} points of accuracy, 95 % interval ${points(low)} to ${points(high)}; McNemar's p ${pValue.toPrecision(2)}\n` +
      `${verdict(found, names[1])}`,
    `${counted(rows)}: both right ${bothRight}, only ${names[0]} ${onlyFirst}, only ${names[1]} ${onlySecond}, both wrong ${bothWrong}`,
    ...rowsOf(`right by ${names[1]} alone`, found.gained, names),
    ...rowsOf(`right by ${names[0]} alone`, found.lost, names),
  ].join('\n\n');
}

/** Short names, made distinct. */
function namesOf(first: string, second: string): [string, string] {
  const names: [string, string] = [basename(first), basename(second)];
  return names[0] === names[1] ? [first, second] : names;
}

/** `recurra compare`: measures two models on the same rows. */
export async function compareCommand(
  firstFile: string,
  secondFile: string,
  files: readonly string[],
  flags: CompareFlags,
): Promise<number> {
  checkReadAgain('file', files, 'the rows are read once for each model');
  const json = flags.json === true;
  const display = readingDisplay(json);
  const first = await loadModel('compare', firstFile, deviceOption(flags));
  const second = await loadModel('compare', secondFile, deviceOption(flags));
  const model = withModelColumns(first, flags, LABELLED_COLUMNS);
  const rows = model.explained(openRows(files, model.flags, display.update));
  const { signal, release } = abortOnSignals('stopping');
  try {
    const found = await compareModels(first, second, rows, {
      ...givenOptions<CompareOptions>(COMPARE, flags),
      signal,
    });
    display.stop();
    noteWarnings(rows, json);
    noteSkipped(rows);
    if (json) {
      jsonLine({ event: 'end', models: [firstFile, secondFile], ...fileFields(files), ...found });
    } else {
      process.stdout.write(`${report(found, namesOf(firstFile, secondFile))}\n`);
    }
    return EXIT.ok;
  } finally {
    display.stop();
    release();
  }
}
