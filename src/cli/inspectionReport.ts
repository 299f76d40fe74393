import { counted } from '../core/counted.js';
import { printable, shownLabels } from '../core/printable.js';
import { percent } from '../core/terminal.js';
import type { DoubtfulRow } from '../inspection/doubtfulLabels.js';
import type { Repeated } from '../inspection/duplicates.js';
import type { Found, RowPlace, RowShown } from '../inspection/found.js';
import type { BadRows, Inspection, LabelFindings } from '../inspection/inspection.js';
import { labelWords } from '../inspection/labels.js';
import type { Lengths } from '../inspection/lengths.js';
import type { Resembling } from '../inspection/nearDuplicates.js';

/** Labels shown in the table. */
const LABELS_SHOWN = 20;
/** Columns of the longest bar. */
const BAR = 30;

const number = (value: number) => value.toLocaleString('en-US', { maximumFractionDigits: 1 });

function labelTable({ counts, evenness, rowsWithoutLabel, rowsWithSeveral, similar }: LabelFindings): string {
  const shown = counts.slice(0, LABELS_SHOWN);
  const names = shownLabels(counts.map(({ label }) => label)).slice(0, LABELS_SHOWN);
  const width = Math.min(40, Math.max(...names.map((name) => name.length)));
  const most = counts[0]?.rows ?? 1;
  const lines = shown.map(({ rows, share }, i) => {
    const bar = '#'.repeat(Math.max(1, Math.round((BAR * rows) / most)));
    return `  ${names[i]!.padEnd(width)} ${number(rows).padStart(9)} ${percent(share).padStart(8)}  ${bar}`;
  });
  const rest = counts.slice(LABELS_SHOWN);
  if (rest.length > 0) {
    const fewest = rest.at(-1)!.rows;
    lines.push(`  and ${counted(rest.length, 'more label')}, of ${number(rest[0]!.rows)} to ${counted(fewest)}`);
  }
  const several = rowsWithSeveral > 0 ? `, ${counted(rowsWithSeveral)} with several` : '';
  const without = rowsWithoutLabel > 0 ? `, ${counted(rowsWithoutLabel)} without any` : '';
  const alike = similar.map((group) => `  look like one: ${labelWords(group).join(' / ')}`);
  return [
    `${counted(counts.length, 'label')} (evenness ${evenness.toFixed(2)}${several}${without})`,
    ...lines,
    ...alike,
  ].join('\n');
}

function lengthLine(what: string, { min, median, mean, p95, p99, max }: Lengths): string {
  return `  ${what.padEnd(11)} ${number(min)} to ${number(max)}, half up to ${number(median)}, 95 % up to ${number(p95)}, 99 % up to ${number(p99)}, mean ${number(mean)}`;
}

/** Where a row is, with its file if two are inspected. */
const place = ({ row, line, file: own }: RowPlace, inspected?: string) => {
  const file = own ?? inspected;
  const inLine = line === undefined ? `row ${row}` : `row ${row} in line ${line}`;
  return file === undefined ? inLine : `${inLine} of ${printable(file)}`;
};
const labelsOf = ({ labels }: RowShown) => (labels ? ` [${labelWords(labels).join(', ')}]` : '');

function finding<T extends RowShown>(
  title: string,
  { rows, examples }: Found<T>,
  more: (row: T) => string = () => '',
  below: (row: T) => string[] = () => [],
  file?: string,
): string[] {
  if (rows === 0) return [];
  const lines = examples.flatMap((row) => [
    `  ${place(row, file)}${labelsOf(row)}${more(row)}: ${printable(row.text)}`,
    ...below(row),
  ]);
  const left = rows - examples.length;
  if (left > 0) lines.push(`  and ${number(left)} more; --all shows them`);
  return [[`${title}: ${counted(rows)}`, ...lines].join('\n')];
}

/** The earlier text that a text resembles. */
const otherRow = ({ other, otherLine, otherFile, otherLabels, otherText }: Resembling, file?: string): string[] => [
  `    ${place({ row: other, line: otherLine, file: otherFile }, file)}${labelsOf({ row: other, labels: otherLabels, text: otherText })}: ${printable(otherText)}`,
];

/** The first row with the same text. */
const likeFirst = ({ first, firstLine, firstFile }: Repeated, file?: string) =>
  ` like ${place({ row: first, line: firstLine, file: firstFile }, file)}`;

/** Rows that could not be read. */
function badLines({ rows, reasons }: BadRows, examples: number): string[] {
  if (rows === 0) return [];
  const shown = reasons.slice(0, examples);
  const left = rows - shown.length;
  const more = left > 0 ? [`  and ${number(left)} more`] : [];
  return [
    [
      `bad rows, which are left out here: ${counted(rows)}`,
      ...shown.map((each) => `  ${printable(each)}`),
      ...more,
    ].join('\n'),
  ];
}

/**
 * The findings as text.
 *
 * @param doubtful - The rows whose label is probably wrong, if that was checked.
 * @param examples - Maximum rows shown per finding.
 * @param file - The inspected file, or several in words.
 */
export function inspectionReport(
  found: Inspection,
  doubtful: DoubtfulRow[] | undefined,
  examples: number,
  file: string,
): string {
  const { languages, scripts, against, coverage, nearDuplicates } = found;
  const named = (shares: Inspection['languages']) =>
    shares.map(({ name, share }) => `${name} ${percent(share)}`).join(', ');
  const parts = [
    `${counted(found.rows)}, ${counted(found.distinctTexts, 'different text')}`,
    found.labels ? labelTable(found.labels) : 'no labels were read: give --label with their column if there are any',
    ['lengths', lengthLine('characters', found.characters), lengthLine(`tokens`, found.tokens)].join('\n'),
    `scripts: ${named(scripts) || 'no letters'}${languages.length > 0 ? `; languages, as far as can be guessed: ${named(languages)}` : ''}`,
    ...badLines(found.badRows, examples),
    ...(against ? badLines(against.badRows, examples) : []),
    ...(found.emptyCells.length > 0
      ? [
          `empty columns: ${found.emptyCells.map(({ column, rows }) => `${printable(JSON.stringify(column))} in ${counted(rows)}`).join(', ')}`,
        ]
      : []),
    ...finding('without text', found.emptyTexts),
    ...finding('long texts', found.longTexts),
    ...finding(
      'same text as an earlier row, with another label',
      found.conflicts,
      (row) => `${likeFirst(row)}${row.firstLabels ? ` [${labelWords(row.firstLabels).join(', ')}]` : ''}`,
    ),
    ...finding('same text as an earlier row', found.duplicates, (row) => likeFirst(row)),
    ...finding(
      `nearly the same text as an earlier row (${counted(nearDuplicates.comparedWith, 'text')} compared with)`,
      nearDuplicates,
      ({ other, similarity }) => ` like row ${other}, ${percent(similarity)}`,
      (row) => otherRow(row),
    ),
    ...(against
      ? [
          ...finding(
            'in the test file and here',
            against.repeated,
            (row) => likeFirst(row, file),
            undefined,
            against.file,
          ),
          ...finding(
            'in the test file and nearly here',
            against.resembling,
            ({ other, similarity }) => ` like row ${other}, ${percent(similarity)}`,
            (row) => otherRow(row, file),
            against.file,
          ),
          ...(against.repeated.rows + against.resembling.rows === 0
            ? [`to be measured on: ${counted(against.rows)}, none of which is also here`]
            : []),
        ]
      : []),
    ...(coverage
      ? [
          `vectors: ${percent(coverage.tokensCovered ?? 0)} of the tokens, ${number(coverage.found)} of ${number(coverage.found + coverage.missing)} different words have one`,
        ]
      : []),
    ...(doubtful ? doubtfulLines(doubtful, examples) : []),
    ...(found.advice.length > 0
      ? [['what to do', ...found.advice.map(({ message }) => `  - ${message}`)].join('\n')]
      : ['no advice: nothing looks wrong']),
  ];
  return parts.join('\n\n');
}

function doubtfulLines(rows: readonly DoubtfulRow[], examples: number): string[] {
  const found = { rows: rows.length, examples: rows.slice(0, examples) };
  if (rows.length === 0) return ['no label looks wrong'];
  return finding(
    'the label is probably wrong',
    found,
    ({ probability, suggested, suggestedProbability }) =>
      ` ${percent(probability)}, rather ${labelWords([suggested])[0]} ${percent(suggestedProbability)}`,
  );
}
