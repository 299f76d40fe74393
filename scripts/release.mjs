// Publishes the packages to the npm registry: packs them all, then publishes the addons' packages and recurra-web, then
// recurra itself, so that the one cannot be installed before the other exists. A version that is published already is
// left alone, so a release that was interrupted is simply run again. npm run release -- [--dry-run] [--libtorch]
// [--provenance] [--target NAME]... --target: also the packages of other platforms, as `npm run pack:all` takes it.
// --libtorch: also the package with libtorch's libraries (once for each libtorch). --provenance: in a public CI, which
// signs.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from './native/addons.mjs';
import { packAll } from './package/main.mjs';
import { readManifest } from './package/manifest.mjs';
import { npm } from './setup/node-modules.mjs';

function run(command, args, options = {}) {
  return spawnSync(command, args, { cwd: root, encoding: 'utf8', ...options });
}

/** What speaks against a release, one sentence each. */
function problems({ version, repository }, { provenance, 'dry-run': dry }) {
  const found = [];
  const heading = new RegExp(`^## ${version.replaceAll('.', '\\.')} \\((.*)\\)$`, 'm');
  const date = heading.exec(readFileSync(join(root, 'CHANGELOG.md'), 'utf8'))?.[1];
  if (!/^\d{4}-\d\d-\d\d$/.test(date ?? ''))
    found.push(`CHANGELOG.md needs a heading "## ${version} (YYYY-MM-DD)" with the day of the release`);
  if (run('git', ['status', '--porcelain']).stdout.trim() !== '')
    found.push('there are changes that are not committed');
  if (run('git', ['tag', '--points-at', 'HEAD']).stdout.split('\n').includes(`v${version}`) === false)
    found.push(`HEAD does not carry the tag v${version}`);
  if (provenance && !repository)
    found.push('provenance needs "repository" in package.json: the public address of this source');
  return dry ? found.map((text) => `(would stop a release) ${text}`) : found;
}

function publish({ name, tarball }, version, { provenance, 'dry-run': dry }) {
  const known = run(npm.command, ['view', `${name}@${version}`, 'version'], { shell: npm.shell });
  if (known.status === 0 && known.stdout.trim() !== '') {
    process.stdout.write(`${name} ${version} is published already\n`);
    return;
  }
  const args = ['publish', tarball, '--access', 'public'];
  if (provenance) args.push('--provenance');
  if (dry) args.push('--dry-run');
  process.stdout.write(`npm ${args.join(' ')}\n`);
  const { status } = run(npm.command, args, { stdio: 'inherit', shell: npm.shell });
  if (status !== 0) throw new Error(`npm publish of ${basename(tarball)} ended with ${status}`);
}

try {
  const boolean = { type: 'boolean' };
  const { values } = parseArgs({
    options: {
      'dry-run': boolean,
      libtorch: boolean,
      provenance: boolean,
      target: { type: 'string', multiple: true },
    },
  });
  const manifest = readManifest(root);
  const found = problems(manifest, values);
  if (found.length > 0) {
    process.stderr.write(`${found.join('\n')}\n`);
    if (!values['dry-run']) throw new Error('Nothing was published.');
  }
  const packages = await packAll({ libtorch: values.libtorch, web: true, target: values.target });
  const main = packages.find(({ name }) => name === manifest.name);
  const libtorch = join(root, 'npm', 'libtorch-linux-x64');
  for (const each of [...packages.filter((one) => one !== main), main]) {
    const version = each.name.includes('libtorch') ? readManifest(libtorch).version : manifest.version;
    publish(each, version, values);
  }
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
