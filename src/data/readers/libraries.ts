import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** csv-parse, loaded when the first such file is read: it would add a seventh to the cost of `import 'recurra'`. */
export function csvParse(): typeof import('csv-parse') {
  return require('csv-parse') as typeof import('csv-parse');
}

/** fzstd, loaded when the first compressed file is read. */
export function fzstd(): typeof import('fzstd') {
  return require('fzstd') as typeof import('fzstd');
}
