/** Finds a Python with PyTorch for the comparison, or sets one up in the cache folder. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

/** The PyTorch whose numbers recurra has. */
const TORCH = '2.11.0';
const CHECK = 'import sys, numpy, torch; print(sys.version.split()[0], torch.__version__)';

/** An error that the user can fix. */
export class BenchError extends Error {}

/** Runs the check; the version of torch, or why it cannot be used. */
function check(python: string): { torch?: string; problem?: string } {
  const { status, stdout, stderr, error } = spawnSync(python, ['-c', CHECK], { encoding: 'utf8' });
  if (error) return { problem: error.message };
  if (status !== 0) return { problem: stderr.trim().split('\n').at(-1) ?? `it ended with code ${status}` };
  return { torch: stdout.trim().split(' ')[1]! };
}

function folder(): string {
  const cache = process.env.XDG_CACHE_HOME;
  return join(cache === undefined || cache === '' ? join(homedir(), '.cache') : cache, 'recurra', 'bench-python');
}

/** A Python that can make a virtual environment. */
function findPython(): string {
  for (const name of ['python3', 'python']) {
    const version = spawnSync(name, ['-c', 'import sys, venv, ensurepip; print(sys.version_info >= (3, 10))'], {
      encoding: 'utf8',
    });
    if (version.status === 0 && version.stdout.trim() === 'True') return name;
  }
  throw new BenchError(
    'The comparison needs Python 3.10 or newer with the modules venv and ensurepip (Debian and Ubuntu: apt install python3-venv), ' +
      `or a Python that has torch ${TORCH} and numpy: --python FILE or RECURRA_BENCH_PYTHON=FILE`,
  );
}

/**
 * The Python to use: the given one, or that of the cache folder, which is made if it is not there.
 *
 * @param given - `--python`, else `RECURRA_BENCH_PYTHON`.
 * @param say - Takes lines for the user.
 */
export function setUpPython(given: string | undefined, say: (line: string) => void): string {
  if (given !== undefined) {
    const { torch, problem } = check(given);
    if (torch === undefined) throw new BenchError(`${given} cannot be used for the comparison: ${problem}`);
    if (torch.split('+')[0] !== TORCH)
      throw new BenchError(`${given} has torch ${torch}; the comparison is with torch ${TORCH}`);
    return given;
  }
  const home = folder();
  const python = join(home, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');
  if (existsSync(python) && check(python).torch?.split('+')[0] === TORCH) return python;
  say(`Setting up PyTorch ${TORCH} for the comparison in ${home}.`);
  say(
    'pip now downloads the build of your package index; on Linux x86-64 that is the one with CUDA, about 3 GB, though only its CPU part is used. ' +
      'To use a PyTorch that is there already: --python FILE or RECURRA_BENCH_PYTHON=FILE. To remove it later: delete the folder.',
  );
  mkdirSync(dirname(home), { recursive: true });
  const run = (command: string, args: string[]) => {
    try {
      // Standard output belongs to the results.
      execFileSync(command, args, { stdio: ['ignore', process.stderr, process.stderr] });
    } catch {
      throw new BenchError(`${command} ${args.join(' ')} failed; see above. Running again continues from there`);
    }
  };
  if (!existsSync(python)) run(findPython(), ['-m', 'venv', home]);
  run(python, ['-m', 'pip', 'install', '--disable-pip-version-check', `torch==${TORCH}`, 'numpy']);
  const { torch, problem } = check(python);
  if (torch === undefined) throw new BenchError(`PyTorch was installed but cannot be used: ${problem}`);
  return python;
}
