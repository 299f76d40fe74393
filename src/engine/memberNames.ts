// Names of the arrays of several networks in one file. Those of the first network are unchanged, so that its part of
// the file is the file of a single network. Those of network k have the prefix `member.k.`, after `training.` if there
// is one.

import { RecurraError } from '../core/errors.js';

/** The description of an array. */
export interface Described {
  name: string;
  shape: readonly number[];
}

/** Prefix of the names of a linear model's arrays. */
export const LINEAR_PREFIX = 'linear.';

const TRAINING = 'training.';
const MEMBER = /^(training\.)?member\.([1-9]\d*)\.(.*)$/s;

/** Prefix of the names of a network's weights; networks are counted from 0. */
export function memberPrefix(member: number): string {
  return member === 0 ? '' : `member.${member + 1}.`;
}

/** The name in a file for a network's array `name`. */
function fileName(name: string, member: number): string {
  const prefix = memberPrefix(member);
  return name.startsWith(TRAINING) ? `${TRAINING}${prefix}${name.slice(TRAINING.length)}` : `${prefix}${name}`;
}

/** A network's arrays under their names in a file of several networks. */
export function named<T extends Described>(arrays: readonly T[], member: number): T[] {
  return member === 0 ? [...arrays] : arrays.map((array) => ({ ...array, name: fileName(array.name, member) }));
}

/**
 * The arrays of each network under its own names.
 *
 * All networks have the same configuration, so their arrays must match. A state that fits the first one fits the
 * others, and a wrong state is refused before any of them changes.
 *
 * @throws {@link RecurraError} `STATE_MISMATCH` naming the difference. Arrays of a network beyond `members` are passed to the
 * first one, which refuses them.
 */
export function byMember<T extends Described>(arrays: readonly T[], members: number): T[][] {
  const parts = Array.from({ length: members }, (): T[] => []);
  for (const array of arrays) {
    const [, training = '', number = '1', own = ''] = MEMBER.exec(array.name) ?? [];
    const member = Number(number) - 1;
    if (member === 0 || member >= members) parts[0]!.push(array);
    else parts[member]!.push({ ...array, name: training + own });
  }
  const [first, ...others] = parts as [T[], ...T[][]];
  for (const [at, other] of others.entries()) checkAlike(first, other, at + 1);
  return parts;
}

function checkAlike(first: readonly Described[], other: readonly Described[], member: number): void {
  const shapes = new Map(other.map(({ name, shape }) => [name, shape]));
  const mismatch = (what: string) =>
    new RecurraError('STATE_MISMATCH', `the state of ${member + 1} networks does not fit: ${what}`);
  for (const { name, shape } of first) {
    const found = shapes.get(name);
    if (!found) throw mismatch(`${fileName(name, member)} is missing`);
    if (String(found) !== String(shape))
      throw mismatch(`${fileName(name, member)} has the shape [${found}], ${name} has [${shape}]`);
    shapes.delete(name);
  }
  const [left] = shapes.keys();
  if (left !== undefined) throw mismatch(`${fileName(left, member)} exists, but ${left} does not`);
}
