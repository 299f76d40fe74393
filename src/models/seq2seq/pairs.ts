import { DataError, invalidArgument } from '../../core/errors.js';
import type { Turns } from '../../core/turns.js';
import { type Pair, type Pairs, placeInWords, positionOf, type RowsOrigin } from '../../data/readers/rows.js';

/** The pairs of some rows; pairs of one source with several targets are adjacent. */
export interface CollectedPairs {
  /** Source of each pair. */
  sources: string[];
  /** Target of each pair. */
  targets: string[];
  /** Number of the row of each pair, from 0. */
  rows: number[];
  /** Line of each pair's row; 0 if unknown. */
  lines: number[];
  /** Where the rows come from. */
  origin: RowsOrigin;
}

/** The position of a pair, for messages. */
export function placeOf({ rows, lines, origin }: CollectedPairs, pair: number): string {
  const line = lines[pair] || undefined;
  return line === undefined ? `row ${rows[pair]}` : placeInWords(origin, rows[pair]! + 1, line);
}

function checked(
  given: unknown,
  row: number,
  origin: RowsOrigin,
): Required<Omit<Pair, 'references'>> & { line: number; references: readonly string[] } {
  const pair = (typeof given === 'object' && given !== null ? given : {}) as Partial<Pair>;
  const { source, target, references = [], line = 0 } = pair;
  for (const [name, value] of Object.entries({ source, target })) {
    if (typeof value === 'string') continue;
    if (origin.file === undefined && origin.files === undefined)
      throw invalidArgument(`pairs[${row}].${name}`, 'a string', value);
    throw new DataError('INVALID_ROW', `row ${row} has no ${name}`, positionOf(origin, row + 1, undefined));
  }
  if (!Array.isArray(references) || references.some((each) => typeof each !== 'string'))
    throw invalidArgument(`pairs[${row}].references`, 'an array of strings', references);
  return { source: source!, target: target!, references, line };
}

/**
 * Collects pairs, yielding to the event loop.
 *
 * @throws {@link DataError} `INVALID_ROW` for a pair with an empty side; ArgumentError for a value that is not a pair.
 */
export async function collectPairs(pairs: Pairs, turns: Turns): Promise<CollectedPairs> {
  const all: CollectedPairs = { sources: [], targets: [], rows: [], lines: [], origin: pairs };
  let row = 0;
  for await (const given of pairs) {
    const { source, target, references, line } = checked(given, row, pairs);
    for (const [name, text] of [
      ['source', source] as const,
      ...[target, ...references].map((one) => ['target', one] as const),
    ]) {
      if (text === '') {
        const place = line > 0 ? '' : `row ${row}: `;
        const position = positionOf(pairs, row + 1, line || undefined);
        throw new DataError('INVALID_ROW', `${place}the ${name} is empty`, position);
      }
    }
    for (const one of new Set([target, ...references])) {
      all.sources.push(source);
      all.targets.push(one);
      all.rows.push(row);
      all.lines.push(line);
    }
    row++;
    if (turns.due) await turns.next();
  }
  return all;
}

/** The pairs with these numbers. */
export function chosenPairs(all: CollectedPairs, chosen: readonly number[]): CollectedPairs {
  const pick = <T>(list: readonly T[]) => chosen.map((pair) => list[pair]!);
  return {
    sources: pick(all.sources),
    targets: pick(all.targets),
    rows: pick(all.rows),
    lines: pick(all.lines),
    origin: all.origin,
  };
}

/** A source with all its targets. */
export interface Question {
  source: string;
  /** Numbers of its pairs. */
  pairs: number[];
}

/** The distinct sources in order of their first pair. */
export function questionsOf({ sources }: CollectedPairs): Question[] {
  const questions = new Map<string, Question>();
  for (const [pair, source] of sources.entries()) {
    const known = questions.get(source);
    if (known) known.pairs.push(pair);
    else questions.set(source, { source, pairs: [pair] });
  }
  return [...questions.values()];
}
