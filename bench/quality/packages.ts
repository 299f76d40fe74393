/** Data sets that are in packages: the packages are fetched by their own clients into the cache folder, without installing them. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Why a set is left out. */
export class Missing extends Error {}

function cache(): string {
  const given = process.env.XDG_CACHE_HOME;
  return join(given === undefined || given === '' ? join(homedir(), '.cache') : given, 'recurra', 'bench-data');
}

function run(command: string, args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (status === 0) return;
  const why = error?.message ?? stderr.trim().split('\n').at(-1) ?? `it ended with code ${status}`;
  throw new Missing(`${command} ${args.join(' ')} failed: ${why}`);
}

/** Downloads an archive into its own folder, unpacks it, and returns its top folder. */
function unpacked(name: string, version: string, fetch: (folder: string) => void): string {
  const folder = join(cache(), `${name.replaceAll(/[@/]/g, '_')}-${version}`);
  if (!existsSync(folder)) {
    mkdirSync(cache(), { recursive: true });
    const between = mkdtempSync(join(cache(), 'fetched-'));
    try {
      fetch(between);
      const archive = readdirSync(between).find((file) => /\.(tgz|tar\.gz)$/.test(file));
      if (archive === undefined) throw new Missing(`${name} ${version} is not an archive`);
      run('tar', ['-xzf', join(between, archive), '-C', between]);
      rmSync(join(between, archive));
      renameSync(between, folder);
    } catch (error) {
      rmSync(between, { recursive: true, force: true });
      throw error;
    }
  }
  return join(folder, readdirSync(folder)[0]!);
}

/** The files of a package of npm. */
export async function fromNpm(name: string, version: string): Promise<string> {
  return unpacked(name, version, (folder) =>
    run('npm', ['pack', `${name}@${version}`, '--silent', '--pack-destination', folder]),
  );
}

/** The files of a package of PyPI, from its source archive. */
export async function fromPyPI(name: string, version: string): Promise<string> {
  const python = process.env.RECURRA_BENCH_PYTHON ?? 'python3';
  return unpacked(name, version, (folder) =>
    run(python, [
      '-m',
      'pip',
      'download',
      `${name}==${version}`,
      '--no-deps',
      '--no-binary',
      ':all:',
      '-q',
      '-d',
      folder,
    ]),
  );
}
