import { expect, it } from 'vitest';
import { pageText } from '../support/guide.js';

const promised = pageText('docs/promises.md').split('<!-- promises -->')[1]!.split('<!-- end of promises -->')[0]!;
const tests = [...promised.matchAll(/`(test\/\S+)`: (.+?)(?= · | \|$)/gm)].map(([, file, name]) => ({
  file: file!,
  name: name!,
}));

it('each promise of docs/promises.md names a test', () => {
  const rows = promised.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| promise'));
  expect(rows.length).toBeGreaterThan(5);
  for (const row of rows) expect(row).toMatch(/\| `test\/\S+`: /);
});

it.each(tests)('$file has the test "$name"', ({ file, name }) => {
  const code = pageText(file);
  expect(code.includes(`'${name}'`) || code.includes(`\`${name}\``)).toBe(true);
});
