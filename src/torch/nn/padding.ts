import { checkInteger } from '../../core/checks.js';

/**
 * Index of the padding row as the binding takes it: from 0, or -1 for none.
 *
 * @internal
 */
export function resolvePadding(paddingIdx: number | undefined, rows: number): number {
  if (paddingIdx === undefined) return -1;
  checkInteger('paddingIdx', paddingIdx, -rows, rows - 1);
  return paddingIdx < 0 ? paddingIdx + rows : paddingIdx;
}
