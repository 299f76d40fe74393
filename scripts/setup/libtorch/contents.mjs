// Which wheels make up a libtorch for the CPU, and which of their files are needed.

import { libtorchVersion } from './locate.mjs';

const license = /^[^/]+\.dist-info\/(licenses\/)?(LICENSE|NOTICE|License\.txt)$/;

const library = (folder, name) => ({ from: `${folder}/${name}`, to: `lib/${name}` });

/**
 * The wheels. `libraries` are the files without which it does not run or link: libtorch_cpu.so names libcudart and
 * libcupti although it uses neither without a GPU, and has `$ORIGIN` in its search path, so all lie side by side.
 * libtorch.so is only for the linker. libtorch_cuda.so stays out: with it in lib/ the addon would be linked to it.
 */
export const wheels = [
  {
    project: 'torch',
    version: libtorchVersion,
    packedBytes: 531e6,
    libraries: ['libtorch_cpu.so', 'libtorch.so', 'libc10.so', 'libgomp.so.1'].map((name) =>
      library('torch/lib', name),
    ),
    headers: { from: 'torch/include/', to: 'include/' },
  },
  {
    project: 'nvidia-cuda-runtime',
    version: '13.0.96',
    packedBytes: 2e6,
    libraries: [library('nvidia/cu13/lib', 'libcudart.so.13')],
  },
  {
    project: 'nvidia-cuda-cupti',
    version: '13.0.85',
    packedBytes: 11e6,
    libraries: [library('nvidia/cu13/lib', 'libcupti.so.13')],
  },
];

/** Bytes that the unpacked files take, and that the wheels take while they are there. */
export const unpackedBytes = 500e6;
export const packedBytes = wheels.reduce((sum, wheel) => sum + wheel.packedBytes, 0);

/** What a wheel's file name begins with: `nvidia_cuda_runtime-13.0.96-`. */
export function wheelPrefix({ project, version }) {
  return `${project.replaceAll('-', '_')}-${version}-`;
}

/** `{ from, to }` for each file of the opened wheel that is unpacked; throws an Error naming what is missing. */
export function filesToUnpack(wheel, zip) {
  const chosen = [...wheel.libraries];
  const missing = chosen.filter(({ from }) => !zip.entries.has(from)).map(({ from }) => from);
  const { headers } = wheel;
  for (const entry of zip.entries.values()) {
    if (entry.isFolder) continue;
    if (headers && entry.name.startsWith(headers.from))
      chosen.push({ from: entry.name, to: headers.to + entry.name.slice(headers.from.length) });
    else if (license.test(entry.name))
      chosen.push({ from: entry.name, to: `licenses/${wheel.project}/${entry.name.split('/').at(-1)}` });
  }
  if (headers && !chosen.some(({ to }) => to.startsWith(headers.to))) missing.push(headers.from);
  if (missing.length > 0)
    throw new Error(
      `this is not the Linux wheel of ${wheel.project} ${wheel.version}: it has no ${missing.join(', ')} in it`,
    );
  return chosen;
}
