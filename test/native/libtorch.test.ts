import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LibtorchError } from '../../src/index.js';
import { cacheFolder } from '../../src/libtorch/places.mjs';
import { systemOf } from '../../src/libtorch/systems.mjs';
import { locateLibtorch, openLocated } from '../../src/native/libtorch.js';
import { temporaryFolder } from '../support/folder.js';
import { torchHalf } from '../support/halves.mjs';

const folder = temporaryFolder();
const LIBRARY: string = systemOf()?.mainLibrary ?? 'libtorch_cpu.so';

/** A folder that looks like libtorch, as far as looking goes. */
function fake(name: string, version: string | undefined, contents = 'not a library'): string {
  const root = join(folder, name);
  mkdirSync(join(root, 'lib'), { recursive: true });
  writeFileSync(join(root, 'lib', LIBRARY), contents);
  if (version !== undefined) writeFileSync(join(root, 'build-version'), `${version}\n`);
  return root;
}

function refusal(env: NodeJS.ProcessEnv, musl = false): LibtorchError {
  try {
    openLocated(locateLibtorch({ XDG_CACHE_HOME: join(folder, 'no-cache'), ...env }, musl));
  } catch (error) {
    expect(error).toBeInstanceOf(LibtorchError);
    return error as LibtorchError;
  }
  return expect.fail('libtorch was found');
}

describe('finding libtorch', () => {
  it('lists every place that was looked at, why it was refused, and the command that mends it', () => {
    const error = refusal({ RECURRA_LIBTORCH: join(folder, 'gone'), LIBTORCH: folder });
    expect(error.code).toBe('LIBTORCH_NOT_FOUND');
    expect(error.message).toMatch(/RECURRA_LIBTORCH \(.*gone\): no such folder/);
    expect(error.message).toMatch(new RegExp(`LIBTORCH \\(.*\\): has no lib/${LIBRARY}`));
    expect(error.message).toMatch(
      `npm package: the npm package recurra-libtorch-${process.platform}-${process.arch} is not installed`,
    );
    expect(error.message).toMatch(/cache folder \(.*libtorch-2\.11\.0\): no such folder/);
    expect(error.message).toMatch(/npm run setup/);
  });

  it('refuses another version without opening it, and says both', () => {
    const error = refusal({ RECURRA_LIBTORCH: fake('old', '2.5.1+cu121') });
    expect(error.code).toBe('LIBTORCH_WRONG_VERSION');
    expect(error.message).toMatch(/is version 2\.5\.1\+cu121, but 2\.11\.0 is needed/);
  });

  it('takes the first place that fits, in the documented order', () => {
    const [first, second] = [fake('first', '2.11.0+cu130'), fake('second', '2.11.0')];
    expect(locateLibtorch({ RECURRA_LIBTORCH: first, LIBTORCH: second }, false)).toMatchObject({
      source: 'RECURRA_LIBTORCH',
    });
    const located = locateLibtorch({ RECURRA_LIBTORCH: join(folder, 'gone'), LIBTORCH: second }, false);
    expect(located).toMatchObject({ source: 'LIBTORCH', folder: join(second, 'lib'), version: '2.11.0' });
    expect(located.refused).toHaveLength(1);
  });

  it('refuses a file that is no library', () => {
    const error = refusal({ RECURRA_LIBTORCH: fake('text', undefined) });
    expect(error.code).toBe('LIBTORCH_UNREADABLE');
    expect(error.message).toMatch(
      /text.*(invalid ELF header|file too short|Exec format error|not a mach-o|not a valid Win32 application|os error 193)/,
    );
  });

  const asRoot = process.getuid?.() === 0;
  if (asRoot) console.warn('skipped: a library that cannot be read, since root can read every file');
  it.skipIf(asRoot)('refuses a library that cannot be read', () => {
    const root = fake('locked', '2.11.0');
    chmodSync(join(root, 'lib', LIBRARY), 0);
    expect(refusal({ RECURRA_LIBTORCH: root }).code).toBe('LIBTORCH_UNREADABLE');
  });

  it('refuses a folder in the place of the library', () => {
    const root = join(folder, 'folder');
    mkdirSync(join(root, 'lib', LIBRARY), { recursive: true });
    expect(refusal({ RECURRA_LIBTORCH: root }).code).toBe('LIBTORCH_UNREADABLE');
  });

  it('does not take a cache folder whose set-up was interrupted', () => {
    const cache = join(folder, 'cache');
    const root = cacheFolder({ XDG_CACHE_HOME: cache });
    mkdirSync(join(root, 'lib'), { recursive: true });
    writeFileSync(join(root, 'lib', LIBRARY), '');
    expect(refusal({ XDG_CACHE_HOME: cache }).message).toMatch(/its set-up was interrupted/);
    writeFileSync(join(root, '.complete'), JSON.stringify({ version: '2.11.0' }));
    expect(locateLibtorch({ XDG_CACHE_HOME: cache }, false)).toMatchObject({
      source: 'cache folder',
      version: '2.11.0',
    });
  });

  it('says plainly that there is none for musl', () => {
    const error = refusal({}, true);
    expect(error.code).toBe('LIBTORCH_UNSUPPORTED_PLATFORM');
    expect(error.message).toMatch(/musl.*glibc/);
  });
});

describe('loading', () => {
  const run = (code: string, env: NodeJS.ProcessEnv = {}) => {
    const result = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
      encoding: 'utf8',
      env: { ...process.env, ...env },
    });
    return { ...result, lines: result.stdout.trim().split('\n') };
  };
  const MAPPED = `const mapped = () => { const maps = (await import('node:fs')).readFileSync('/proc/self/maps', 'utf8');
    console.log(['libtorch_cpu.so', 'recurra.', 'recurra-torch.'].filter((name) => maps.includes(name)).join(' ') || 'none'); };`.replace(
    '() =>',
    'async () =>',
  );

  it.runIf(torchHalf && process.platform === 'linux')(
    'an import alone loads neither addon nor libtorch; a tensor loads all',
    () => {
      const { lines, stderr } = run(
        `${MAPPED} const { tensor } = await import('./dist/torch/index.js'); await mapped(); tensor([1]); await mapped();`,
      );
      expect(stderr).toBe('');
      expect(lines).toEqual(['none', 'libtorch_cpu.so recurra. recurra-torch.']);
    },
  );

  it.skipIf(process.platform !== 'linux')('a classifier trains, saves, loads and predicts without libtorch', () => {
    const { lines, stderr } = run(
      `${MAPPED} const { TextClassifier } = await import('./dist/index.js');
       const rows = Array.from({ length: 40 }, (_, i) => ({ text: i % 2 ? 'a cat' : 'a saw', label: i % 2 ? 'animal' : 'tool' }));
       const path = ${JSON.stringify(join(folder, 'm.safetensors'))};
       await (await TextClassifier.train(rows, { embeddingDim: 8, hiddenSize: 8, lr: 0.05, batchSize: 4 })).save(path);
       console.log((await (await TextClassifier.load(path)).predict('the cat')).label); await mapped();`,
      { RECURRA_LIBTORCH: '/nonexistent', LIBTORCH: '/nonexistent', XDG_CACHE_HOME: '/nonexistent' },
    );
    expect(stderr).toBe('');
    expect(lines).toEqual(['animal', 'recurra.']);
  });

  it.runIf(torchHalf)('gives the typed error from a tensor, and goes on working once libtorch is there', () => {
    const { lines } = run(
      `const { LibtorchError } = await import('./dist/index.js');
       const { tensor } = await import('./dist/torch/index.js');
       const names = ['RECURRA_LIBTORCH', 'LIBTORCH', 'XDG_CACHE_HOME', 'LIBTORCH_USE_PYTORCH'];
       const before = names.map((name) => process.env[name]);
       for (const name of names) process.env[name] = '/nonexistent';
       try { tensor([1]); } catch (error) { console.log(error instanceof LibtorchError, error.code); }
       for (const [i, name] of names.entries()) before[i] === undefined ? delete process.env[name] : (process.env[name] = before[i]);
       console.log(tensor([1]).item());`,
    );
    expect(lines).toEqual(['true LIBTORCH_NOT_FOUND', '1']);
  });

  it.runIf(torchHalf)(
    'works in worker threads that come and go, and the process ends cleanly',
    () => {
      const { lines, status, stderr } = run(
        `import { Worker } from 'node:worker_threads';
       const code = "import('./dist/torch/index.js').then(({ tensor }) => { if (tensor([2]).mul(3).item() !== 6) process.exit(9); })";
       for (let round = 0; round < 5; round++) {
         const worker = new Worker(code, { eval: true });
         console.log(await new Promise((resolve, reject) => worker.once('exit', resolve).once('error', reject)));
       }`,
      );
      expect({ lines, status, stderr }).toEqual({ lines: ['0', '0', '0', '0', '0'], status: 0, stderr: '' });
    },
    60_000,
  );
});
