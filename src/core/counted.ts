/**
 * A count with its noun: `1 row`, `1,200 rows`.
 *
 * @internal
 */
export function counted(count: number, noun = 'row'): string {
  return `${count.toLocaleString('en-US')} ${noun}${count === 1 ? '' : 's'}`;
}
