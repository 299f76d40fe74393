// How the arrays of several networks stand in one file. The first network's have the names that they have alone, so that its part
// of the file is the file of a single network; those of network k have `member.k.` before them, behind `training.` where there is that.

import { RecurraError } from '../core/errors.js';

/** What is known of an array before it is used. */
export interface Described {
  name: string;
  shape: readonly number[];
}

/** What the names of a linear model's arrays begin with. */
export const LINEAR_PREFIX = 'linear.';

const TRAINING = 'training.';
const MEMBER = /^(training\.)?member\.([1-9]\d*)\.(.*)$/s;

/** What stands before the names of a network's weights; networks are counted from 0. */
export function memberPrefix(member: number): string {
  return member === 0 ? '' : `member.${member + 1}.`;
}

/** The name in a file of what a network alone calls `name`. */
function fileName(name: string, member: number): string {
  const prefix = memberPrefix(member);
  return name.startsWith(TRAINING) ? `${TRAINING}${prefix}${name.slice(TRAINING.length)}` : `${prefix}${name}`;
}

/** A network's arrays under the names that a file of several has for them. */
export function named<T extends Described>(arrays: readonly T[], member: number): T[] {
  return member === 0 ? [...arrays] : arrays.map((array) => ({ ...array, name: fileName(array.name, member) }));
}

/**
 * The arrays of each network under the names that it knows.
 *
 * All networks look alike, so their arrays must too. What fits the first one then fits the others, and a state is refused before any
 * of them has changed.
 *
 * @throws RecurraError `STATE_MISMATCH` naming what differs. Arrays of a network beyond `members` are left to the first one, which
 * refuses them.
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
  if (left !== undefined) throw mismatch(`${fileName(left, member)} is there, ${left} is not`);
}
