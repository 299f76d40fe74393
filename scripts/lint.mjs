// Everything that looks at the sources without running them: biome, rustfmt, clippy, and the prose. All run, even when one fails.
//   node scripts/lint.mjs [--light]
// --light: clippy looks at the crates of the light half alone, which needs no libtorch.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { root, targetDir } from './native/addons.mjs';
import { cratesOf, halvesOf } from './native/crates.mjs';
import { libtorchBuildEnv } from './native/libtorch-env.mjs';
import { requireLibtorch } from './setup/libtorch/locate.mjs';

function step(command, args, env = process.env) {
  process.stdout.write(`\n$ ${[command, ...args].join(' ')}\n`);
  const { status, error } = spawnSync(command, args, { cwd: root, env, stdio: ['ignore', 'inherit', 'inherit'] });
  if (error) process.stdout.write(`${command} could not be started: ${error.message}\n`);
  return status === 0;
}

try {
  const { values } = parseArgs({ options: { light: { type: 'boolean' } } });
  const halves = halvesOf(values);
  const libtorch = halves.includes('torch') ? libtorchBuildEnv(requireLibtorch().path, targetDir()) : {};
  const env = { ...process.env, ...libtorch };
  const crates = cratesOf(halves).flatMap((crate) => ['-p', crate]);
  const passed = [
    step(process.execPath, [join(root, 'node_modules', '@biomejs', 'biome', 'bin', 'biome'), 'check', '.']),
    step('cargo', ['fmt', '--all', '--check']),
    // --release, so that it shares with the build what its build scripts compiled (torch-sys takes minutes).
    // With the stopwatch of the kernels, which their bench `roofline` needs: no test compiles that.
    step(
      'cargo',
      [
        'clippy',
        '--release',
        ...crates,
        '--all-targets',
        '--features',
        'recurra-kernels/phases',
        '--',
        '-D',
        'warnings',
      ],
      env,
    ),
    // As recurra-web has it: without training.
    step('cargo', [
      'clippy',
      '--release',
      '-p',
      'recurra-kernels',
      '--no-default-features',
      '--all-targets',
      '--',
      '-D',
      'warnings',
    ]),
    step(process.execPath, [join(root, 'scripts', 'lint', 'prose', 'main.mjs')]),
  ];
  process.exitCode = passed.every(Boolean) ? 0 : 1;
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
