// Builds the light addon for another platform into target/cross/<target>/, and checks what it links and defines.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { addons, cargoArtifact, platformName, root, targetDir } from '../native/addons.mjs';
import { typeDefEnv } from '../native/build.mjs';
import { runCargo } from '../native/cargo.mjs';
import { replaceFile } from '../native/files.mjs';
import { readMachO } from './machO.mjs';
import { checkTools, rustBinaries, toolEnv, toolFolder, zigFolder } from './tools.mjs';

const [light] = addons;

/** Where the addon of a target lies once it is built. */
export function crossPath(name, top = root) {
  return join(targetDir(top), 'cross', name, `${light.binary}.${name}.node`);
}

const linkerVariable = (triple, what) => `CARGO_TARGET_${triple.toUpperCase().replaceAll('-', '_')}_${what}`;

/** What cargo calls the library of a target. */
function libraryOf({ os }) {
  const { library } = light;
  return os === 'win32' ? `${library}.dll` : os === 'darwin' ? `lib${library}.dylib` : `lib${library}.so`;
}

/** The command, the environment and the target of a build on another system. */
function howToBuild({ name, linker, glibc, macos }, triple, { folder, env }) {
  if (linker === 'mingw') {
    const gcc = 'x86_64-w64-mingw32-gcc-posix';
    const variables = {
      [linkerVariable(triple, 'LINKER')]: folder ? join(folder, 'mingw', 'usr', 'bin', gcc) : gcc,
      ...(folder && { LIBNODE_PATH: join(folder, 'libnode') }),
      // mingw keeps the names of all functions.
      CARGO_PROFILE_RELEASE_STRIP: 'symbols',
    };
    return { command: 'build', variables, target: triple };
  }
  if (linker === 'lld') {
    const flags = [
      `-Clinker=${fileURLToPath(new URL('lld.mjs', import.meta.url))}`,
      '-Clinker-flavor=ld64.lld',
      `-Clink-arg=-install_name`,
      `-Clink-arg=@rpath/${light.binary}.${name}.node`,
    ];
    const variables = {
      [linkerVariable(triple, 'RUSTFLAGS')]: flags.join(' '),
      SDKROOT: appleLibraries(join(targetDir(), 'cross', 'apple'), zigFolder(env)),
      MACOSX_DEPLOYMENT_TARGET: macos,
      RECURRA_LLD_FOLDER: rustBinaries(env),
    };
    return { command: 'build', variables, target: triple };
  }
  // Rust links musl into a program by default; an addon shares the one of Node.
  const variables = glibc ? {} : { [linkerVariable(triple, 'RUSTFLAGS')]: '-Ctarget-feature=-crt-static' };
  return { command: 'zigbuild', variables, target: glibc ? `${triple}.${glibc}` : triple };
}

/**
 * A folder that a linker takes for Apple's SDK: the names that macOS' own libraries define, which is all that linking needs. zig has
 * those of libSystem.
 */
function appleLibraries(folder, zig) {
  const library = join(folder, 'usr', 'lib');
  const system = readFileSync(join(zig, 'lib', 'libc', 'darwin', 'libSystem.tbd'), 'utf8');
  // Rust's linker does not know the newest processor yet, and tells arm64e, which the file names, from arm64.
  const known = system.replace(/,\s*arm64e\.x1-[\w-]+/g, '').replaceAll('arm64e-', 'arm64-');
  // Rust's standard library asks by older names of it; and for libiconv, which the crate libc names and nothing calls.
  for (const name of ['libSystem', 'libc', 'libm']) replaceFile(join(library, `${name}.tbd`), known);
  const iconv = [
    '--- !tapi-tbd',
    'tbd-version: 4',
    'targets: [ x86_64-macos, arm64-macos ]',
    "install-name: '/usr/lib/libiconv.2.dylib'",
    '...',
    '',
  ];
  replaceFile(join(library, 'libiconv.tbd'), iconv.join('\n'));
  return folder;
}

/** Builds on a machine of the target's own kind. */
async function buildHere(target) {
  const env = { ...process.env, ...(target.macos && { MACOSX_DEPLOYMENT_TARGET: target.macos }) };
  Object.assign(env, typeDefEnv(join(targetDir(), 'napi-types'), [light]));
  await runCargo(['build', '--release', '--locked', '-p', light.crate], { cwd: root, env });
  return cargoArtifact(light);
}

async function buildElsewhere(target) {
  const folder = toolFolder();
  const env = toolEnv(folder);
  const triple = target.crossTriple ?? target.triple;
  checkTools(target, triple, env);
  const { command, variables, target: named } = howToBuild(target, triple, { folder, env });
  const args = [command, '--release', '--locked', '-p', light.crate, '--target', named];
  await runCargo(args, { cwd: root, env: { ...env, ...variables } });
  return join(targetDir(), triple, 'release', libraryOf(target));
}

function objdump(tool, file) {
  const { status, stdout, stderr, error } = spawnSync(tool, ['-p', file], { encoding: 'utf8', maxBuffer: 2 ** 28 });
  if (error || status !== 0) throw new Error(`${tool} -p ${file}: ${error?.message ?? stderr.trim()}`);
  return stdout;
}

/** The libraries that a file links. */
function linked({ os }, file) {
  if (os === 'darwin') return readMachO(file).needs;
  const pattern = os === 'win32' ? /^\s*DLL Name:\s*(\S+)/gm : /^\s*NEEDED\s+(\S+)/gm;
  const folder = toolFolder();
  const mingw = folder
    ? join(folder, 'mingw', 'usr', 'bin', 'x86_64-w64-mingw32-objdump')
    : 'x86_64-w64-mingw32-objdump';
  return [...objdump(os === 'win32' ? mingw : 'objdump', file).matchAll(pattern)].map(([, name]) => name);
}

/** Throws an Error for a file that links what a user may not have, or shows others more than Node asks for. */
function check(target, file) {
  const needs = linked(target, file);
  const wrong = needs.filter((name) => !target.needs.test(name));
  if (wrong.length > 0) throw new Error(`${file} links ${wrong.join(', ')}, which a user may not have`);
  if (!target.macos) return needs;
  const { minimum, installName, exports } = readMachO(file);
  if (minimum !== target.macos) throw new Error(`${file} asks for macOS ${minimum}, not ${target.macos}`);
  if (!installName?.startsWith('@rpath/')) throw new Error(`${file} is called ${installName}`);
  const others = exports.filter(
    (name) => !/^_(napi_register_module_v1|node_api_module_get_api_version_v1)$/.test(name),
  );
  if (others.length > 0) throw new Error(`${file} defines ${others.length} symbols for others, such as ${others[0]}`);
  return needs;
}

/** Builds the addon of a target and returns `{ file, needs, bytes }`. */
export async function buildCross(target) {
  // Not on Linux: what is linked with the C library of this machine asks for its version.
  const here = platformName() === target.name && target.os !== 'linux';
  const artifact = here ? await buildHere(target) : await buildElsewhere(target);
  const file = crossPath(target.name);
  const bytes = readFileSync(artifact);
  const needs = here && target.os === 'win32' ? [] : check(target, artifact);
  replaceFile(file, bytes, 0o755);
  return { file, needs, bytes: bytes.length };
}
