import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RecurraError } from '../core/errors.js';
import { platformName } from './platform.js';

const require = createRequire(import.meta.url);

let root: string | undefined;

/** The error for a copy of this package inside a bundle. */
function bundled(): RecurraError {
  return new RecurraError(
    'ADDON_NOT_FOUND',
    `${fileURLToPath(import.meta.url)} is not in the package recurra: a bundler has put it into another file, where its native addon ` +
      'cannot be found. Leave recurra out of the bundle (esbuild: --external:recurra, Vite: ssr.external, Rollup: external, webpack: ' +
      'externals), and install it where the bundle runs. docs/bundlers.md in the package has each tool',
  );
}

/** Folder of this package: the nearest one above with `recurra`'s package.json. */
export function packageRoot(): string {
  if (root) return root;
  let folder = dirname(fileURLToPath(import.meta.url));
  for (;;) {
    const manifest = join(folder, 'package.json');
    if (existsSync(manifest) && (JSON.parse(readFileSync(manifest, 'utf8')) as { name?: string }).name === 'recurra') {
      root = folder;
      return root;
    }
    const parent = dirname(folder);
    if (parent === folder) throw bundled();
    folder = parent;
  }
}

/** Version of this package. */
export function packageVersion(): string {
  return (JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as { version: string }).version;
}

/** The platforms that each addon has a prebuilt package for; others build it from source. */
const PREBUILT: Readonly<Record<'recurra' | 'recurra-torch', readonly string[]>> = {
  recurra: [
    'linux-x64-gnu',
    'linux-arm64-gnu',
    'linux-x64-musl',
    'linux-arm64-musl',
    'win32-x64-msvc',
    'darwin-arm64',
    'darwin-x64',
  ],
  'recurra-torch': ['linux-x64-gnu'],
};

/** An addon's name, the prefix of its packages and files. */
type AddonName = keyof typeof PREBUILT;

/** The npm package with an addon for a platform, named as by {@link platformName}; undefined where there is none. */
export function prebuiltPackage(name: AddonName, platform: string): string | undefined {
  return PREBUILT[name].includes(platform) ? `${name}-${platform}` : undefined;
}

/** npm's names for a platform: `os`, `cpu` and, on Linux, `libc` of a package.json. */
function npmPlatform(platform: string): [string, string][] {
  const [os = '', cpu = '', suffix] = platform.split('-');
  const libc: [string, string][] = os === 'linux' ? [['libc', suffix === 'musl' ? 'musl' : 'glibc']] : [];
  return [['os', os], ['cpu', cpu], ...libc];
}

/** Installed packages with an addon for other platforms, which means that node_modules was made elsewhere. */
function installedElsewhere(name: AddonName, platform: string): string[] {
  return PREBUILT[name]
    .filter((other) => other !== platform)
    .map((other) => `${name}-${other}`)
    .filter((other) => {
      try {
        return Boolean(require.resolve(`${other}/package.json`));
      } catch {
        return false;
      }
    });
}

/** Advice for a missing addon, as lines of text. `installed` are packages with it for other platforms. */
export function howToGet(name: AddonName, platform: string, installed: readonly string[] = []): string {
  const clone = 'In a clone, run: npm run setup';
  const wanted = prebuiltPackage(name, platform);
  if (wanted === undefined)
    return `There is no prebuilt package ${name}-${platform}; there are packages for ${PREBUILT[name].join(', ')}.\n${clone}`;
  const place = npmPlatform(platform);
  const lines = [
    `The missing package is ${wanted} (${place.map((pair) => pair.join(' ')).join(', ')}).`,
    clone,
    `Otherwise, install its package: npm install ${wanted}`,
  ];
  if (installed.length > 0) {
    const flags = place.map(([key, value]) => `--${key}=${value}`).join(' ');
    lines.push(
      `Installed ${installed.length === 1 ? 'is' : 'are'} ${installed.join(', ')}: node_modules was made for another platform. ` +
        `Install where the program runs, or for it: npm install ${flags}`,
    );
  } else {
    lines.push('A package manager leaves it out with --no-optional, or with a lock file made on another platform.');
  }
  return lines.join('\n');
}

/** Where an addon may be, in search order: a build of this checkout, then its prebuilt package. */
export function addonCandidates(name: AddonName): string[] {
  const platform = platformName();
  const file = `${name}.${platform}.node`;
  const candidates = [join(packageRoot(), 'native', file)];
  try {
    candidates.push(require.resolve(`${name}-${platform}/${file}`));
  } catch {
    candidates.push(`${name}-${platform}/${file} (npm package, not installed)`);
  }
  return candidates;
}

/**
 * Loads an addon, without wrapping its errors.
 *
 * @throws {@link RecurraError} `ADDON_NOT_FOUND` with every place searched and why it was refused.
 */
export function loadAddon(name: AddonName): object {
  const refused: string[] = [];
  for (const candidate of addonCandidates(name)) {
    if (!existsSync(candidate)) {
      refused.push(`  ${candidate}: not there`);
      continue;
    }
    try {
      return require(candidate) as object;
    } catch (error) {
      refused.push(`  ${candidate}: ${(error as Error).message}`);
    }
  }
  throw new RecurraError(
    'ADDON_NOT_FOUND',
    `The native addon ${name} for ${platformName()} could not be loaded. Searched:\n${refused.join('\n')}\n` +
      howToGet(name, platformName(), installedElsewhere(name, platformName())),
  );
}
