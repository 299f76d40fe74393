import { checkChoice } from '../../core/checks.js';
import { invalidArgument } from '../../core/errors.js';
import { checkOptionNames } from '../../core/options/names.js';
import { checkScheme, inIobes, SCHEME_PREFIXES, type TagScheme } from './scheme.js';
import { type Prefix, parseTags, type Tag, UNTYPED } from './tag.js';

/** An entity by its tokens: `tokens.slice(start, end)`. */
export interface TokenSpan {
  /** Index of the first token. */
  start: number;
  /** End, exclusive. */
  end: number;
  /** The label of the entity; `_` for tags that are only a prefix. */
  label: string;
}

/**
 * How entities are read from tags. `default` accepts every sequence of tags and reads it as the conlleval script does.
 * `strict` counts only entities that follow the scheme.
 */
export type TagMode = 'default' | 'strict';

/** Options of {@link getEntities}. */
export interface EntityOptions {
  /** How tags that do not follow the scheme are read. Default `'default'`. */
  mode?: TagMode | undefined;
  /** The scheme of the tags. Required with `mode: 'strict'`, and without effect otherwise. */
  scheme?: TagScheme | undefined;
}

/**
 * Reads the entities of a sequence of tags, as `get_entities` and, with `mode: 'strict'`, `Entities` of seqeval 1.2.2.
 * In the default mode `L` and `U` of BILOU are read as `E` and `S`, which seqeval does not support there.
 *
 * @param tags - One tag per token: `O`, or `B`, `I`, `E`, `S`, `L` or `U`, alone or with a label as `B-PER`.
 * @returns The entities in order. `end` is the index after the last token, as in `slice`; seqeval's default mode gives the
 * last token itself.
 * @throws {@link ArgumentError} `INVALID_ARGUMENT` for a malformed tag, or in strict mode one that the scheme lacks.
 *
 * @example
 * ```ts
 * getEntities(['B-PER', 'I-PER', 'O', 'I-LOC']);
 * // [{ label: 'PER', start: 0, end: 2 }, { label: 'LOC', start: 3, end: 4 }]
 * getEntities(['B-PER', 'I-PER', 'O', 'I-LOC'], { mode: 'strict', scheme: 'IOB2' }).length; // 1
 * ```
 */
export function getEntities(tags: readonly string[], options: EntityOptions = {}): TokenSpan[] {
  checkOptionNames('getEntities', options, ['mode', 'scheme']);
  const { mode = 'default', scheme } = options;
  checkChoice('mode', mode, ['default', 'strict']);
  const parsed = parseTags(tags, 'tags');
  if (mode === 'default') return looseEntities(parsed);
  return strictEntities(parsed, checkScheme(scheme), 'tags');
}

const OUTSIDE: Tag = { prefix: 'O', label: UNTYPED };

/**
 * The entities of any sequence of tags, as the conlleval script reads them.
 *
 * @internal
 */
export function looseEntities(tags: readonly Tag[]): TokenSpan[] {
  const entities: TokenSpan[] = [];
  let before: Prefix = 'O';
  let open: TokenSpan | undefined;
  const close = (end: number) => {
    if (open !== undefined) entities.push({ ...open, end });
    open = undefined;
  };
  for (const [i, tag] of tags.entries()) {
    const prefix = inIobes(tag.prefix);
    const ended = before === 'E' || before === 'S' || before === 'O';
    const continues = !ended && (prefix === 'I' || prefix === 'E') && open?.label === tag.label;
    if (!continues) {
      close(i);
      if (prefix !== 'O') open = { label: tag.label, start: i, end: i };
    }
    before = prefix;
  }
  close(tags.length);
  return entities;
}

/** Whether two labels must be the same. */
type Labels = 'any' | 'same' | 'different';

/** The letters before and at a position, and how their labels must compare. */
type Pattern = readonly [before: string, at: string, labels: Labels];

interface Patterns {
  start: readonly Pattern[];
  inside: readonly Pattern[];
  end: readonly Pattern[];
}

/** The patterns of IOBES with the letters of either naming. */
function closed(end: string, single: string): Patterns {
  return {
    start: [['OBIESLU', `B${single}`, 'any']],
    inside: [['BI', `I${end}`, 'same']],
    end: [[`${single}${end}`, 'OBIESLU', 'any']],
  };
}

/** The tables of `seqeval/scheme.py`, version 1.2.2. */
const PATTERNS: Readonly<Record<TagScheme, Patterns>> = {
  IOB1: {
    start: [
      ['OB', 'I', 'any'],
      ['I', 'I', 'different'],
      ['IB', 'B', 'same'],
    ],
    inside: [['BI', 'I', 'same']],
    end: [
      ['I', 'OB', 'any'],
      ['B', 'O', 'any'],
      ['IB', 'I', 'different'],
      ['B', 'B', 'same'],
    ],
  },
  IOB2: {
    start: [['OBIESLU', 'B', 'any']],
    inside: [['BI', 'I', 'same']],
    end: [
      ['BI', 'OB', 'any'],
      ['BI', 'I', 'different'],
    ],
  },
  IOBES: closed('E', 'S'),
  BILOU: closed('L', 'U'),
};

function fits(patterns: readonly Pattern[], before: Tag, tag: Tag): boolean {
  return patterns.some(
    ([left, right, labels]) =>
      left.includes(before.prefix) &&
      right.includes(tag.prefix) &&
      (labels === 'any' || (before.label === tag.label) === (labels === 'same')),
  );
}

/**
 * The entities that follow the scheme.
 *
 * @throws {@link ArgumentError} `INVALID_ARGUMENT` for a tag with a letter that the scheme lacks.
 *
 * @internal
 */
export function strictEntities(tags: readonly Tag[], scheme: TagScheme, name: string): TokenSpan[] {
  const letters = SCHEME_PREFIXES[scheme];
  for (const [i, { prefix }] of tags.entries()) {
    if (letters.includes(prefix)) continue;
    throw invalidArgument(`${name}[${i}]`, `a tag of ${scheme}, which has ${[...letters].join(', ')},`, prefix);
  }
  const patterns = PATTERNS[scheme];
  const entities: TokenSpan[] = [];
  const at = (i: number): Tag => tags[i] ?? OUTSIDE;
  let before = OUTSIDE;
  for (let i = 0; i <= tags.length; ) {
    const tag = at(i);
    if (!fits(patterns.start, before, tag)) {
      before = tag;
      i++;
      continue;
    }
    let end = i + 1;
    while (end < tags.length && fits(patterns.inside, at(end - 1), at(end))) end++;
    if (fits(patterns.end, at(end - 1), at(end))) entities.push({ label: tag.label, start: i, end });
    before = at(end - 1);
    i = end;
  }
  return entities;
}
