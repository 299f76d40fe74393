import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { isError, isPromise, isTyped } from '../../src/core/realms.js';
import { EncodedDataset, logLoss } from '../../src/index.js';
import { decodeError, wrapBinding } from '../../src/native/wrap.js';

/** A value of another realm, as test runners make them. */
const foreign = (code: string) => runInNewContext(code);

describe('values of another realm', () => {
  it('are of the same kinds', () => {
    for (const code of ["new Error('a')", "new TypeError('a')"]) {
      expect(foreign(code)).not.toBeInstanceOf(Error);
      expect(isError(foreign(code))).toBe(true);
    }
    expect(['a', { message: 'a' }, null, undefined].some(isError)).toBe(false);
    expect([foreign('Promise.resolve(1)'), Promise.resolve(1)].every(isPromise)).toBe(true);
    expect([1, 'a', null, undefined, {}].some(isPromise)).toBe(false);
    expect(isTyped('Int32Array', foreign('new Int32Array(1)'))).toBe(true);
    expect(isTyped('Int32Array', new Uint32Array(1))).toBe(false);
  });

  it('are taken as those of this one: errors and promises of an addon, arrays of a user', async () => {
    const error = foreign("new Error('RECURRA:INVALID_FILE:damaged')");
    expect(decodeError(error)).toMatchObject({ name: 'RecurraError', code: 'INVALID_FILE', message: 'damaged' });
    const { later } = wrapBinding({ later: foreign("async () => { throw new Error('RECURRA:IO:gone') }") });
    await expect(later()).rejects.toMatchObject({ name: 'RecurraError', code: 'IO' });
    const parts = foreign(
      '({ tokens: new Int32Array([1]), offsets: new Uint32Array([0, 1]), labels: new Int32Array(1) })',
    );
    expect(new EncodedDataset({ ...parts, classes: ['a'] })).toHaveLength(1);
    const scores = [0.75, 0.25, 0.5, 0.5];
    const [own, other] = [Float32Array.from(scores), foreign(`Float32Array.of(${scores})`)].map((each) =>
      logLoss(['a', 'b'], each, { labels: ['a', 'b'] }),
    );
    expect(other).toEqual(own);
  });
});
