import { execFileSync, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { BenchError } from '../compare/python.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** What identifies recurra's sources: its version, and in a clone the trees of git, with a mark if files differ from them. */
export function oursCode(): string {
  const git = (...args: string[]) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
  try {
    const trees = ['src', 'crates'].map((folder) => git('rev-parse', '--short', `HEAD:${folder}`));
    return `recurra ${trees.join(' ')}${git('status', '--porcelain', 'src', 'crates') === '' ? '' : ' changed'}`;
  } catch {
    return 'recurra';
  }
}

/**
 * The versions of scikit-learn and fastText.
 *
 * @throws BenchError if the Python cannot be used.
 */
export function theirCode(python: string): string {
  const program = fileURLToPath(new URL('theirs.py', import.meta.url));
  const { status, stdout, stderr, error } = spawnSync(python, [program, 'check'], { encoding: 'utf8' });
  if (status === 0) {
    const versions = JSON.parse(stdout) as Record<string, string>;
    return Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ');
  }
  const why = error?.message ?? stderr.trim().split('\n').at(-1) ?? `it ended with code ${status}`;
  throw new BenchError(
    `${python} cannot be used for the comparison: ${why}\n` +
      'It needs scikit-learn and fastText: python3 -m venv FOLDER, FOLDER/bin/pip install scikit-learn fasttext-wheel, then ' +
      '--python FOLDER/bin/python or RECURRA_BENCH_PYTHON. --programs recurra,... measures without them',
  );
}
