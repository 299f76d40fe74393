// Zip archives and tiny wheels made by hand, sound ones and hostile ones.

import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { systemOf } from '../../src/libtorch/systems.mjs';

/** An entry of an archive; the fields that are given replace what would be true. */
export interface Entry {
  name: string;
  content?: string | Buffer;
  /** 0 stored, 8 deflated (the default). */
  method?: number;
  /** Bytes in the archive in place of the packed content. */
  packed?: Buffer;
  /** The unpacked size that the directory claims. */
  claimedSize?: number;
  /** The name in the entry's own header. */
  localName?: string;
  flags?: number;
  /** Unix mode with its type bits, such as 0o120777 for a link. */
  mode?: number;
  /** Sizes and offset in a zip64 field. */
  zip64?: boolean;
}

/** What replaces the true values in the end record. */
export interface End {
  count?: number;
  directorySize?: number;
  directoryOffset?: number;
  comment?: Buffer;
  zip64?: boolean;
}

/** The bytes of a zip archive. */
export function zip(entries: Entry[], end: End = {}): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const entry of entries) {
    const content = Buffer.from(entry.content ?? '');
    const method = entry.method ?? 8;
    const packed = entry.packed ?? (method === 8 ? deflateRawSync(content) : content);
    const size = entry.claimedSize ?? content.length;
    const name = Buffer.from(entry.name);
    const localName = Buffer.from(entry.localName ?? entry.name);

    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(method, 8);
    local.writeUInt16LE(localName.length, 26);

    const extra = Buffer.alloc(entry.zip64 ? 28 : 0);
    if (entry.zip64) {
      extra.writeUInt16LE(1, 0);
      extra.writeUInt16LE(24, 2);
      extra.writeBigUInt64LE(BigInt(size), 4);
      extra.writeBigUInt64LE(BigInt(packed.length), 12);
      extra.writeBigUInt64LE(BigInt(offset), 20);
    }
    const central = Buffer.alloc(46);
    central.writeUInt32LE(0x02014b50, 0);
    central.writeUInt16LE(entry.flags ?? 0, 8);
    central.writeUInt16LE(method, 10);
    central.writeUInt32LE(entry.zip64 ? 0xffffffff : packed.length, 20);
    central.writeUInt32LE(entry.zip64 ? 0xffffffff : size, 24);
    central.writeUInt16LE(name.length, 28);
    central.writeUInt16LE(extra.length, 30);
    central.writeUInt16LE(entry.mode ?? 0o100644, 40);
    central.writeUInt32LE(entry.zip64 ? 0xffffffff : offset, 42);

    parts.push(local, localName, packed);
    directory.push(central, name, extra);
    offset += local.length + localName.length + packed.length;
  }
  const central = Buffer.concat(directory);
  const count = end.count ?? entries.length;
  if (end.zip64) {
    const record = Buffer.alloc(56);
    record.writeUInt32LE(0x06064b50, 0);
    record.writeBigUInt64LE(BigInt(count), 32);
    record.writeBigUInt64LE(BigInt(end.directorySize ?? central.length), 40);
    record.writeBigUInt64LE(BigInt(end.directoryOffset ?? offset), 48);
    const locator = Buffer.alloc(20);
    locator.writeUInt32LE(0x07064b50, 0);
    locator.writeBigUInt64LE(BigInt(offset + central.length), 8);
    directory.push(record, locator);
  }
  const comment = end.comment ?? Buffer.alloc(0);
  const last = Buffer.alloc(22);
  last.writeUInt32LE(0x06054b50, 0);
  last.writeUInt16LE(end.zip64 ? 0xffff : count, 10);
  last.writeUInt32LE(end.zip64 ? 0xffffffff : (end.directorySize ?? central.length), 12);
  last.writeUInt32LE(end.zip64 ? 0xffffffff : (end.directoryOffset ?? offset), 16);
  last.writeUInt16LE(comment.length, 20);
  return Buffer.concat([...parts, ...directory, last, comment]);
}

/** RECORD as a wheel has it. */
export function record(files: Record<string, string>): string {
  const lines = Object.entries(files).map(([name, content]) => {
    const digest = createHash('sha256').update(content).digest('base64url');
    return `${name.includes(',') ? `"${name}"` : name},sha256=${digest},${Buffer.byteLength(content)}`;
  });
  return `${lines.join('\r\n')}\r\nx-1.dist-info/RECORD,,\r\n`;
}

/** A wheel with these files; `listed` replaces the content that RECORD has the sums of. */
export function wheel(files: Record<string, string>, listed: Record<string, string> = files): Buffer {
  const entries: Entry[] = Object.entries(files).map(([name, content]) => ({ name, content }));
  return zip([...entries, { name: 'x-1.dist-info/RECORD', content: record(listed) }]);
}

const versionHeader = '#define TORCH_VERSION_MAJOR 2\n#define TORCH_VERSION_MINOR 11\n#define TORCH_VERSION_PATCH 0\n';

/** What a tiny torch wheel has in it; the last two must not be unpacked. */
export const torchFiles: Record<string, string> = {
  'torch/lib/libtorch_cpu.so': 'cpu',
  'torch/lib/libtorch.so': 'stub',
  'torch/lib/libc10.so': 'c10',
  'torch/lib/libgomp.so.1': 'gomp',
  'torch/include/torch/headeronly/version.h': versionHeader,
  'torch/include/torch/all.h': 'all',
  'torch-2.11.0.dist-info/licenses/LICENSE': 'licence',
  'torch/lib/libtorch_cuda.so': 'cuda',
  'torch/__init__.py': 'python',
};

export const torchWheelName = 'torch-2.11.0-cp311-cp311-manylinux_2_28_x86_64.whl';

/** Writes the three tiny wheels into `folder` and returns the path of torch's. */
export function writeWheels(folder: string, torch: Buffer = wheel(torchFiles)): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, torchWheelName);
  writeFileSync(path, torch);
  writeFileSync(
    join(folder, 'nvidia_cuda_runtime-13.0.96-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl'),
    wheel({ 'nvidia/cu13/lib/libcudart.so.13': 'cudart' }),
  );
  writeFileSync(
    join(folder, 'nvidia_cuda_cupti-13.0.85-py3-none-manylinux_2_25_x86_64.whl'),
    wheel({ 'nvidia/cu13/lib/libcupti.so.13': 'cupti' }),
  );
  return path;
}

/** Writes tiny wheels of a system into `folder`, each with the libraries that systems.mjs lists and one more; returns the path of torch's. */
export function writeWheelsOf(name: string, folder: string): string {
  mkdirSync(folder, { recursive: true });
  const { wheels, pipPlatforms } = systemOf(name);
  let torch = '';
  for (const { project, version, libraries } of wheels) {
    const files = Object.fromEntries(libraries.map(({ from }: { from: string }) => [from, `${name} ${from}`]));
    const python = project === 'torch' ? 'cp311-cp311' : 'py3-none';
    const path = join(folder, `${project.replaceAll('-', '_')}-${version}-${python}-${pipPlatforms.at(-1)}.whl`);
    writeFileSync(path, wheel({ ...files, 'torch/lib/libtorch_python.so': 'python' }));
    if (project === 'torch') torch = path;
  }
  return torch;
}

/** A folder of its own for one test, and what removes it. */
export function scratch(): { folder: string; remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'recurra-setup-test-'));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
