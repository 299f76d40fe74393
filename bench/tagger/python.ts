import { execFileSync, spawnSync } from 'node:child_process';
import { BenchError } from '../compare/python.js';

/** What the others need besides PyTorch. */
const PACKAGES = ['pytorch-crf==0.7.2', 'spacy==3.8.18'] as const;

const CHECK = 'import spacy, torchcrf; assert spacy.__version__.startswith("3.8.")';

/**
 * Sees to spaCy and pytorch-crf in a Python that has PyTorch.
 *
 * @param given - Whether the user named the Python, into which nothing is installed then.
 * @returns The Python.
 */
export function setUpTaggers(python: string, given: boolean, say: (line: string) => void): string {
  const check = () => spawnSync(python, ['-c', CHECK], { encoding: 'utf8' });
  const { status, stderr } = check();
  if (status === 0) return python;
  const install = ['-m', 'pip', 'install', '--disable-pip-version-check', ...PACKAGES];
  if (given) {
    const why = stderr.trim().split('\n').at(-1);
    throw new BenchError(
      `${python} lacks something: ${why}\nIt needs ${PACKAGES.join(' and ')}: ${python} ${install.join(' ')}`,
    );
  }
  say(`Installing ${PACKAGES.join(' and ')}.`);
  try {
    // Standard output belongs to the results.
    execFileSync(python, install, { stdio: ['ignore', process.stderr, process.stderr] });
  } catch {
    throw new BenchError(`${python} ${install.join(' ')} failed; see above`);
  }
  if (check().status !== 0)
    throw new BenchError(`${PACKAGES.join(' and ')} were installed but cannot be used: ${check().stderr}`);
  return python;
}
