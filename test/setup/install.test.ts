import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { pipArguments } from '../../scripts/setup/libtorch/download.mjs';
import { cacheFolder, cacheRefusal, locateLibtorch, requireLibtorch } from '../../scripts/setup/libtorch/locate.mjs';
import {
  checkSpace,
  installWheels,
  removeLeftovers,
  temporaryBeside,
  wheelsBeside,
} from '../../src/libtorch/install.mjs';
import { buildWheels, systemOf } from '../../src/libtorch/systems.mjs';
import { parseRecord } from '../../src/libtorch/wheelRecord.mjs';
import { record, scratch, torchFiles, torchWheelName, wheel, writeWheels, zip } from './wheels.js';

const system = systemOf('linux-x64');
const wheels = buildWheels(system);

let folder: string;
let remove: () => void;
beforeEach(() => {
  ({ folder, remove } = scratch());
});
afterEach(() => remove());

async function install(torch?: Buffer) {
  const target = join(folder, 'cache', 'recurra', 'libtorch-2.11.0');
  const pairs = wheelsBeside(writeWheels(join(folder, 'wheels'), torch), 'RECURRA_TORCH_WHEEL', wheels, system);
  await installWheels({ pairs, target, work: temporaryBeside(target) });
  return target;
}

describe('the RECORD of a wheel', () => {
  test('is read with quoted paths and without the entries that have no sum', () => {
    const files = parseRecord(record({ 'a.py': 'a', 'with, comma.py': 'b' }));
    expect([...files.keys()]).toEqual(['a.py', 'with, comma.py']);
    expect(files.get('a.py')).toEqual({ digest: 'ypeBEsobvcr6wjGzmiPcTaeG7_gUfE5yuYB3ha_uSLs', size: 1 });
  });

  test('is refused with another sum than sha256 or another shape', () => {
    expect(() => parseRecord('a.py,md5=abc,1\n')).toThrow(/a sha256 is needed/);
    expect(() => parseRecord('a.py\n')).toThrow(/not path,hash,size/);
  });
});

describe('installing from wheels', () => {
  test('unpacks what is needed and marks it complete', async () => {
    const target = await install();
    expect(readdirSync(join(target, 'lib')).sort()).toEqual([
      'libc10.so',
      'libcudart.so.13',
      'libcupti.so.13',
      'libgomp.so.1',
      'libtorch.so',
      'libtorch_cpu.so',
    ]);
    expect(readFileSync(join(target, 'include/torch/all.h'), 'utf8')).toBe('all');
    expect(existsSync(join(target, 'licenses/torch/LICENSE'))).toBe(true);
    expect(JSON.parse(readFileSync(join(target, '.complete'), 'utf8')).version).toBe('2.11.0');
    expect(cacheRefusal(target)).toBeUndefined();
  });

  test('refuses a file that differs from its sum, and leaves nothing that looks installed', async () => {
    const changed = wheel({ ...torchFiles, 'torch/lib/libc10.so': 'changed' }, torchFiles);
    await expect(install(changed)).rejects.toThrow(/libc10\.so: its sha256 is .*RECORD says/);
    expect(existsSync(join(folder, 'cache', 'recurra', 'libtorch-2.11.0'))).toBe(false);
  });

  test('refuses a needed file that RECORD does not list', async () => {
    const { 'torch/lib/libc10.so': _, ...listed } = torchFiles;
    await expect(install(wheel(torchFiles, listed))).rejects.toThrow(/libc10\.so is not listed/);
  });

  test('refuses a wheel without RECORD, without a library, and a file that is no wheel', async () => {
    await expect(install(zip([{ name: 'torch/lib/libc10.so' }]))).rejects.toThrow(/this file has 0/);
    const { 'torch/lib/libtorch_cpu.so': _, ...without } = torchFiles;
    await expect(install(wheel(without))).rejects.toThrow(/has no torch\/lib\/libtorch_cpu\.so/);
    await expect(install(Buffer.from('<html>404</html>'))).rejects.toThrow(/not a zip archive/);
  });

  test('refuses a header that would be written outside', async () => {
    const hostile = wheel({ ...torchFiles, 'torch/include/../../../evil': 'x' });
    await expect(install(hostile)).rejects.toThrow(/leave the folder/);
    expect(existsSync(join(folder, 'evil'))).toBe(false);
  });

  test('replaces an installation that is not complete and removes leftovers of interrupted ones', async () => {
    const target = join(folder, 'cache', 'recurra', 'libtorch-2.11.0');
    mkdirSync(join(target, 'lib'), { recursive: true });
    writeFileSync(join(target, 'lib', 'libtorch_cpu.so'), 'half');
    expect(cacheRefusal(target)).toMatch(/interrupted/);
    mkdirSync(`${target}.tmp-1-old/stage`, { recursive: true });
    expect(removeLeftovers(target)).toBe(1);
    await install();
    expect(readFileSync(join(target, 'lib', 'libtorch_cpu.so'), 'utf8')).toBe('cpu');
    expect(cacheRefusal(target)).toBeUndefined();
  });

  test('a library that was cut or removed later is noticed', async () => {
    const target = await install();
    writeFileSync(join(target, 'lib', 'libc10.so'), '');
    expect(cacheRefusal(target)).toBe('lib/libc10.so is 0 bytes, not 3');
  });

  test('the files beside the wheel: absent ones and a wrong name are told', () => {
    const other = join(folder, 'torch-2.10.0-cp311-cp311-manylinux_2_28_x86_64.whl');
    writeFileSync(other, '');
    expect(() => wheelsBeside(other, '--from', wheels, system)).toThrow(/a wheel of torch 2\.11\.0 is needed/);
    const alone = join(folder, torchWheelName);
    writeFileSync(alone, '');
    expect(() => wheelsBeside(alone, '--from', wheels, system)).toThrow(
      /nvidia_cuda_runtime-13\.0\.96-\*\.whl and nvidia_cuda_cupti-13\.0\.85-\*\.whl must be next to/,
    );
    expect(() => wheelsBeside(join(folder, 'nowhere.whl'), '--from', wheels, system)).toThrow(/no such file/);
  });

  test('too little space is told before anything is fetched', () => {
    expect(() => checkSpace(folder, { available: 600e6, unpacked: 500e6, packed: 544e6 })).toThrow(
      /600 MB free; 1094 MB are needed/,
    );
    expect(() => checkSpace(folder, { available: 600e6, unpacked: 500e6, packed: 0 })).not.toThrow();
  });

  test('pip is asked for exact versions, no dependencies, and wheels only', () => {
    const args: string[] = pipArguments('/somewhere', system);
    expect(args).toEqual(expect.arrayContaining(['--no-deps', '--only-binary=:all:', 'manylinux_2_28_x86_64']));
    expect(args.slice(-3)).toEqual(['torch==2.11.0', 'nvidia-cuda-runtime==13.0.96', 'nvidia-cuda-cupti==13.0.85']);
    expect(wheels).toHaveLength(3);
  });
});

describe('looking for libtorch', () => {
  const write = (path: string, text = '') => {
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, text);
  };
  const libtorch = (name: string, minor: number) => {
    const top = join(folder, name);
    write(join(top, 'lib/libtorch_cpu.so'), 'cpu');
    write(
      join(top, 'include/torch/headeronly/version.h'),
      `#define TORCH_VERSION_MAJOR 2\n#define TORCH_VERSION_MINOR ${minor}\n#define TORCH_VERSION_PATCH 0\n`,
    );
    return top;
  };

  test('takes the variables in order, and says why one was refused', () => {
    const old = libtorch('old', 10);
    const good = libtorch('good', 11);
    const env = { HOME: folder, RECURRA_LIBTORCH: old, LIBTORCH: good };
    expect(locateLibtorch(env)).toEqual({
      path: good,
      source: 'LIBTORCH',
      refused: [{ source: 'RECURRA_LIBTORCH', path: old, reason: 'its version is 2.10.0; 2.11.0 is needed' }],
    });
    expect(locateLibtorch({ ...env, RECURRA_LIBTORCH: good }).source).toBe('RECURRA_LIBTORCH');
  });

  test('one error lists every place and the command', () => {
    const env = {
      HOME: folder,
      RECURRA_LIBTORCH: join(libtorch('good', 11), 'lib'),
      PATH: '',
      LIBTORCH_USE_PYTORCH: '1',
    };
    expect(() => requireLibtorch(env)).toThrow(
      /RECURRA_LIBTORCH: .*give the one above it[\s\S]*cache folder: .*not installed yet[\s\S]*LIBTORCH_USE_PYTORCH[\s\S]*node scripts\/setup\.mjs/,
    );
  });

  test('the cache folder follows XDG_CACHE_HOME only where that is absolute', () => {
    expect(cacheFolder({ HOME: '/home/a', XDG_CACHE_HOME: '/b' })).toBe('/b/recurra/libtorch-2.11.0');
    expect(cacheFolder({ HOME: '/home/a', XDG_CACHE_HOME: 'b' })).toBe('/home/a/.cache/recurra/libtorch-2.11.0');
    expect(cacheFolder({ HOME: '/home/a' })).toBe('/home/a/.cache/recurra/libtorch-2.11.0');
  });
});
