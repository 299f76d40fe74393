import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { proxyFor } from '../../src/libtorch/http.mjs';
import { indexUrl } from '../../src/libtorch/pypi.mjs';
import { scratch, torchFiles, torchWheelName, writeWheels } from '../setup/wheels.js';
import { Index } from './index.js';

let folder: string;
let remove: () => void;
let index: Index;
let url: string;
beforeEach(async () => {
  ({ folder, remove } = scratch());
  mkdirSync(join(folder, 'bin'));
  index = new Index(join(folder, 'served'));
  url = await index.listen();
});
afterEach(() => {
  index.close();
  remove();
});

/** Runs `recurra libtorch` where there is no Python and no libtorch but in a cache folder of its own. */
async function libtorch(args: string[], env: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, ['dist/cli/main.js', 'libtorch', ...args], {
    env: { PATH: join(folder, 'bin'), HOME: folder, XDG_CACHE_HOME: join(folder, 'cache'), PIP_INDEX_URL: url, ...env },
  });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  const status = await new Promise<number | null>((done) => child.once('close', done));
  return { status, out, err };
}

const target = () => join(folder, 'cache', 'recurra', 'libtorch-2.11.0');
const library = () => readFileSync(join(target(), 'lib', 'libtorch_cpu.so'), 'utf8');

describe.runIf(process.platform === 'linux' && process.arch === 'x64')('recurra libtorch', () => {
  it('installs, says the size first, lists, tells where, and removes', async () => {
    const { status, err } = await libtorch(['install']);
    expect(err).toMatch(
      /^downloading \d+ MB from http:\/\/127\.0\.0\.1:\d+\/simple, 470 MB once unpacked, into .*2\.11\.0\n/,
    );
    expect(err).toMatch(/libtorch is installed: .*libtorch-2\.11\.0/);
    expect(status).toBe(0);
    // What only building needs is left out.
    expect(readdirSync(join(target(), 'lib')).sort()).toEqual([
      'libc10.so',
      'libcudart.so.13',
      'libcupti.so.13',
      'libgomp.so.1',
      'libtorch_cpu.so',
    ]);
    expect(readdirSync(target()).sort()).toEqual(['.complete', 'lib', 'licenses']);
    expect(readdirSync(join(folder, 'cache', 'recurra'))).toEqual(['libtorch-2.11.0']);
    expect((await libtorch(['where'])).out).toBe(`${join(target(), 'lib')}\n`);
    expect((await libtorch(['list'])).out).toMatch(/^cpu {3}.*libtorch-2\.11\.0 {2}0 MB\nused: .*\(cache folder\)\n$/);
    const before = index.requests.length;
    expect((await libtorch(['install'])).err).toMatch(/is already installed/);
    expect(index.requests.length).toBe(before);
    expect((await libtorch(['remove'])).status).toBe(0);
    expect(readdirSync(join(folder, 'cache', 'recurra'))).toEqual([]);
    const gone = await libtorch(['where']);
    expect([gone.status, gone.out]).toEqual([1, '']);
    expect(gone.err).toMatch(/npx recurra libtorch install.*\[LIBTORCH_NOT_FOUND\]/s);
  });

  it('reads an index that has HTML only', async () => {
    index.behaviour.html = true;
    expect((await libtorch(['install'])).err).toMatch(/is installed/);
    expect(library()).toBe('cpu');
  });

  it('goes on where a broken connection ended, within a run and in the next one', async () => {
    index.behaviour.cut = { after: 100, times: 1 };
    expect((await libtorch(['install'])).status).toBe(0);
    expect(index.fetched().filter((line) => line.includes(torchWheelName))).toEqual([
      `/files/${torchWheelName}`,
      `/files/${torchWheelName} bytes=100-`,
    ]);
    await libtorch(['remove']);

    // An earlier run's part: a byte of it is wrong, which only the sum can tell.
    const part = join(`${target()}.download`, `${torchWheelName}.part`);
    mkdirSync(join(part, '..'), { recursive: true });
    const whole = readFileSync(join(folder, 'served', torchWheelName));
    writeFileSync(part, whole.subarray(0, 200));
    index.requests.length = 0;
    expect((await libtorch(['install'])).status).toBe(0);
    expect(index.fetched()[0]).toBe(`/files/${torchWheelName} bytes=200-`);
    await libtorch(['remove']);
    mkdirSync(join(part, '..'), { recursive: true });
    writeFileSync(part, Buffer.alloc(200));
    expect((await libtorch(['install'])).status).toBe(0);
    expect(library()).toBe('cpu');
  });

  it('begins again where the server cannot go on in the middle', async () => {
    Object.assign(index.behaviour, { cut: { after: 100, times: 1 }, noRanges: true });
    expect((await libtorch(['install'])).status).toBe(0);
    expect(library()).toBe('cpu');
  });

  it('refuses a file whose sum is not the listed one, and installs nothing', async () => {
    index.behaviour.sha256 = 'a'.repeat(64);
    const { status, err } = await libtorch(['install']);
    expect(status).toBe(1);
    expect(err).toMatch(/its sha256 is [0-9a-f]{64}; the package index says a{64}.*\[IO\]/s);
    expect(existsSync(target())).toBe(false);
    expect(existsSync(join(`${target()}.download`, torchWheelName))).toBe(false);
  });

  it('two at once share one download', async () => {
    index.behaviour.delay = 300;
    const both = await Promise.all([libtorch(['install']), libtorch(['install'])]);
    expect(both.map(({ status }) => status)).toEqual([0, 0]);
    expect(both.map(({ err }) => err).join('')).toMatch(/another process \(\d+\) is installing it; waiting/);
    expect(index.fetched()).toHaveLength(3);
  });

  it('says which index does not have it, and that one cannot be reached', async () => {
    const nowhere = `${url.replace('/simple/', '')}/other`;
    index.close();
    const { status, err } = await libtorch(['install'], { PIP_INDEX_URL: nowhere });
    expect(status).toBe(1);
    expect(err).toMatch(/127\.0\.0\.1.*ECONNREFUSED.*\[IO\]/s);
  });

  it('takes the index of --index-url, and without any names the npm package', async () => {
    const { status } = await libtorch(['install', '--index-url', url], { PIP_INDEX_URL: '' });
    expect(status).toBe(0);
    expect(library()).toBe('cpu');
    await libtorch(['remove']);
    const none = await libtorch(['install'], { PIP_INDEX_URL: '' });
    expect(none.status).toBe(1);
    expect(none.err).toMatch(
      /no Python package index is set.*npm install recurra-libtorch-linux-x64.*--index-url.*PIP_INDEX_URL.*--from.*\[IO\]/s,
    );
    const cuda = await libtorch(['install', '--cuda'], { PIP_INDEX_URL: '' });
    expect(cuda.err).toMatch(/no Python package index is set\. Name one: --index-url/);
    const wrong = await libtorch(['install', '--index-url', 'ftp://index']);
    expect(wrong.err).toMatch(/--index-url must be a URL .*"ftp:\/\/index"/);
  });

  it('uses the torch of a Python where it is, unless told to fetch', async () => {
    const python = join(folder, 'python', 'torch');
    mkdirSync(join(python, 'lib'), { recursive: true });
    writeFileSync(join(python, 'lib', 'libtorch_cpu.so'), 'of python');
    writeFileSync(join(python, 'version.py'), "__version__ = '2.11.0+cu130'\n");
    const command = join(folder, 'bin', 'python3');
    writeFileSync(command, `#!/bin/sh\necho '${python}'\n`);
    chmodSync(command, 0o755);
    const { err } = await libtorch(['install']);
    expect(err).toMatch(/a Python on PATH has torch 2\.11\.0 in .*; it is linked, not copied/);
    expect(index.requests).toEqual([]);
    const { out } = await libtorch(['where', '--json']);
    expect(JSON.parse(out)).toMatchObject({
      source: 'cache folder',
      library: realpathSync(join(python, 'lib', 'libtorch_cpu.so')),
      version: '2.11.0',
    });
    expect((await libtorch(['list'])).out).toContain(`links to ${python}`);
    await libtorch(['remove']);
    expect(existsSync(join(python, 'lib', 'libtorch_cpu.so'))).toBe(true);
    await libtorch(['install', '--fetch']);
    expect(library()).toBe('cpu');
  });

  it('installs from files, into a folder of choice, but not over other files', async () => {
    const wheel = writeWheels(join(folder, 'wheels'));
    const dir = join(folder, 'mine');
    const { status, err } = await libtorch(['install', '--from', wheel, '--dir', dir]);
    expect(err).toContain(`RECURRA_LIBTORCH=${dir}`);
    expect(status).toBe(0);
    expect(index.requests).toEqual([]);
    expect(readFileSync(join(dir, 'lib', 'libc10.so'), 'utf8')).toBe('c10');
    const full = await libtorch(['install', '--from', wheel, '--dir', join(folder, 'served')]);
    expect(full.status).toBe(1);
    expect(full.err).toMatch(/contains files that are not a libtorch installation/);
    const none = await libtorch(['install', '--from', join(folder, 'none.whl')]);
    expect(none.err).toMatch(/--from is .*no such file.*\[IO\]/s);
  });

  it('goes through a proxy', async () => {
    const other = new Index(join(folder, 'served'));
    const proxy = new URL(await other.listen());
    try {
      const env = { HTTP_PROXY: proxy.origin, PIP_INDEX_URL: 'http://index.invalid/simple' };
      expect((await libtorch(['install'], env)).status).toBe(0);
      expect(other.fetched()).toHaveLength(3);
    } finally {
      other.close();
    }
  });

  it('with --json it writes JSON lines alone', async () => {
    const { out } = await libtorch(['install', '--json']);
    const lines = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines[0]).toMatchObject({ event: 'note', text: expect.stringMatching(/^downloading/) });
    const bytes = Object.values(torchFiles).join('').length;
    expect(lines.at(-1)).toMatchObject({
      event: 'end',
      action: 'installed',
      folder: target(),
      bytes: expect.any(Number),
    });
    expect(lines.at(-1).bytes).toBeLessThan(bytes);
  });
});

describe('settings of pip', () => {
  it('names the index: the variable, then pip.conf, then none', () => {
    expect(indexUrl({ HOME: folder, PIP_INDEX_URL: 'https://a/simple/' })).toBe('https://a/simple');
    mkdirSync(join(folder, '.config', 'pip'), { recursive: true });
    writeFileSync(
      join(folder, '.config', 'pip', 'pip.conf'),
      '[install]\nindex-url = https://no/simple\n[global]\nindex-url = https://b/simple\n',
    );
    expect(indexUrl({ HOME: folder })).toBe('https://b/simple');
    expect(indexUrl({ HOME: join(folder, 'nobody'), PIP_CONFIG_FILE: join(folder, 'none.conf') })).toBeUndefined();
  });

  it('names the proxy, unless the host is excluded', () => {
    const env = { HTTPS_PROXY: 'http://user:pw@proxy:3128', NO_PROXY: 'localhost,.inside.example' };
    expect(proxyFor('https://index.example/simple', env)?.host).toBe('proxy:3128');
    expect(proxyFor('https://index.inside.example/simple', env)).toBeUndefined();
    expect(proxyFor('http://index.example/simple', env)).toBeUndefined();
    expect(proxyFor('https://index.example/simple', { https_proxy: 'proxy:8080', no_proxy: '*' })).toBeUndefined();
    expect(() => proxyFor('https://index.example/', { ALL_PROXY: 'socks5://proxy' })).toThrow(/not supported/);
  });
});
