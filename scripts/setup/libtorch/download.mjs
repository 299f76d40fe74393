// Fetches the wheels with pip, whatever Python it belongs to, with the index and proxies that the person has set for it.

import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { wheelsIn } from '../../../src/libtorch/install.mjs';
import { buildWheels, packedBytes } from '../../../src/libtorch/systems.mjs';

/** Older ones know only one --platform. */
const oldestPip = 21;

/** The command of a pip that is new enough, `{ command, args, version }`, or `{ problem }`, a sentence. */
export function findPip(env = process.env) {
  let old;
  let python;
  for (const command of ['python3', 'python']) {
    const { status, stdout, error } = spawnSync(command, ['-m', 'pip', '--version'], { env, encoding: 'utf8' });
    if (error) continue;
    python ??= command;
    const version = status === 0 ? /^pip (\S+)/.exec(stdout)?.[1] : undefined;
    if (version === undefined) continue;
    if (Number.parseInt(version, 10) >= oldestPip) return { command, args: ['-m', 'pip'], version };
    old = `${command} has pip ${version}`;
  }
  const how = 'Debian/Ubuntu: apt-get install python3-pip; Fedora: dnf install python3-pip';
  if (old) return { problem: `${old}; ${oldestPip} or newer is needed. Run: python3 -m pip install --upgrade pip` };
  if (python) return { problem: `${python} has no pip. Get it with your system's package manager (${how}).` };
  return {
    problem:
      `Python 3 with pip was not found; it is needed once, to fetch libtorch (${how}). ` +
      'Without it: set RECURRA_LIBTORCH to a libtorch 2.11.0 of your own, or RECURRA_TORCH_WHEEL to its wheel.',
  };
}

/** The arguments of the download; no dependency is fetched, and nothing is built or run. */
export function pipArguments(folder, system) {
  return [
    'download',
    '--no-deps',
    '--only-binary=:all:',
    '--implementation',
    'cp',
    '--python-version',
    '3.11',
    ...system.pipPlatforms.flatMap((platform) => ['--platform', platform]),
    // Its cache would keep 540 MB that are never read again.
    '--no-cache-dir',
    '--disable-pip-version-check',
    '--no-input',
    '--progress-bar',
    'off',
    '--dest',
    folder,
    ...buildWheels(system).map(({ project, version }) => `${project}==${version}`),
  ];
}

/** Bytes in a folder and those below it; files may vanish while it counts. */
function bytesIn(folder) {
  let sum = 0;
  try {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      sum += entry.isDirectory() ? bytesIn(path) : statSync(path).size;
    }
  } catch {
    // Just moved or removed by pip; the next count has it.
  }
  return sum;
}

/** Runs pip; `onBytes(total)` is called with what has arrived. Rejects with the last lines that pip wrote. */
function runPip(pip, folder, system, env, onBytes) {
  // pip collects in its temporary folder; ours is on the disk whose space was checked, and can be measured.
  const temporary = join(folder, 'pip-tmp');
  mkdirSync(temporary, { recursive: true });
  return new Promise((resolve, reject) => {
    const child = spawn(pip.command, [...pip.args, ...pipArguments(folder, system)], {
      env: { ...env, TMPDIR: temporary },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    const keep = (text) => {
      said = (said + text).slice(-4000);
    };
    child.stdout.setEncoding('utf8').on('data', keep);
    child.stderr.setEncoding('utf8').on('data', keep);
    const timer = setInterval(() => onBytes(bytesIn(folder)), 500);
    child.on('error', (error) => {
      clearInterval(timer);
      reject(new Error(`${pip.command} could not be started: ${error.message}`));
    });
    child.on('close', (code) => {
      clearInterval(timer);
      if (code === 0) resolve();
      else reject(new Error(`pip could not fetch libtorch (exit code ${code}). It said:\n${said.trim()}`));
    });
  });
}

/** Fetches all wheels for a system into `folder` and returns them as wheelsIn does; `onBytes(total)` tells how far it is. */
export async function downloadWheels({ folder, system, pip, env = process.env, onBytes }) {
  mkdirSync(folder, { recursive: true });
  await runPip(pip, folder, system, env, onBytes);
  const wanted = buildWheels(system);
  onBytes(packedBytes(wanted));
  const { found, missing } = wheelsIn(folder, wanted, system);
  if (missing.length > 0)
    throw new Error(`pip ended well but brought no ${missing.map(({ project }) => project).join(', ')}`);
  return found;
}
