// Compiles the addons with cargo, puts them into native/ and writes index.d.ts.
//
// The type definitions come from the napi macros (NAPI_TYPE_DEF_TMP_FOLDER) and are rendered by @napi-rs/cli's own
// generator. `napi build` itself always passes --target, which would compile torch-sys (minutes) a second time in
// another folder than `cargo test` and clippy use, and it knows one addon for each package; hence its library only.

import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { requireLibtorch } from '../setup/libtorch/locate.mjs';
import { addonPath, addons, cargoArtifact, root, targetDir } from './addons.mjs';
import { runCargo } from './cargo.mjs';
import { addonDeclaration, existingNamespace, joinNamespaces, namespaceOf, sharedOf } from './declarations.mjs';
import { replaceFile } from './files.mjs';
import { libtorchBuildEnv } from './libtorch-env.mjs';

/** The crate whose objects both addons take and give. */
const SHARED = 'recurra-binding';

const print = (line) => process.stderr.write(`${line}\n`);

/** Environment in which the macros write their definitions; a crate whose file is missing is compiled again. */
export function typeDefEnv(folder, chosen) {
  mkdirSync(folder, { recursive: true });
  const env = { NAPI_TYPE_DEF_TMP_FOLDER: folder };
  for (const crate of [SHARED, ...chosen.map((addon) => addon.crate)]) {
    if (existsSync(join(folder, crate))) continue;
    // The build script, napi-build's or that crate's own, watches this variable.
    env[`NAPI_FORCE_BUILD_${crate.replaceAll('-', '_').toUpperCase()}`] = String(Date.now());
  }
  return env;
}

/** Writes index.d.ts; an addon that was not built now keeps the declaration it had. */
async function writeDeclarations(top, folder, chosen) {
  const path = join(top, 'index.d.ts');
  const before = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const namespaces = [];
  for (const addon of addons) {
    const old = existingNamespace(before, addon.name);
    const fresh = chosen.includes(addon) ? namespaceOf(addon.name, await addonDeclaration(folder, addon.crate)) : old;
    namespaces.push(fresh ?? namespaceOf(addon.name, ''));
  }
  const shared = sharedOf(await addonDeclaration(folder, SHARED));
  return replaceFile(path, joinNamespaces(namespaces, shared), 0o644);
}

/**
 * Builds the addons named (`light`, `torch`; both when `names` is undefined). `modules` settles once node_modules is there,
 * which the declarations need and the compilation does not.
 * Throws an Error with a sentence for a person when cargo or libtorch is missing or the compilation fails.
 */
export async function buildNative({ names, top = root, modules } = {}) {
  const chosen = addons.filter(({ name }) => names === undefined || names.includes(name));
  const folder = join(targetDir(top), 'napi-types');
  // In CI a Cargo.lock that does not fit is an error; a developer who just added a crate gets it updated.
  const locked = process.env.CI ? ['--locked'] : [];
  for (const addon of chosen) {
    const env = { ...process.env, ...typeDefEnv(folder, [addon]) };
    if (addon.needsLibtorch) Object.assign(env, libtorchBuildEnv(requireLibtorch().path, targetDir(top)));
    // One after the other: cargo gives a dependency the features that all crates of one run ask for, and the light addon
    // must be the same whether or not the torch addon is built too.
    await runCargo(['build', '--release', ...locked, '-p', addon.crate], { cwd: top, env });
    const path = addonPath(addon, top);
    const written = replaceFile(path, readFileSync(cargoArtifact(addon, top)), 0o755);
    print(`  ${addon.name} addon: ${path.slice(top.length + 1)} ${written ? 'written' : 'unchanged'}`);
  }
  await modules;
  print(`  index.d.ts ${(await writeDeclarations(top, folder, chosen)) ? 'written' : 'unchanged'}`);
}
