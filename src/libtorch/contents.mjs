// Which wheels make up a libtorch, and which of their files are needed.

import { libtorchVersion } from './places.mjs';

const license = /^[^/]+\.dist-info\/(licenses\/)?(LICENSE|NOTICE|License\.txt)$/;

const library = (folder, name) => ({ from: `${folder}/${name}`, to: `lib/${name}` });
const torchLibrary = (name) => library('torch/lib', name);
const torchLibraries = ['libtorch_cpu.so', 'libc10.so', 'libgomp.so.1'].map(torchLibrary);

/**
 * The wheels for computing on the CPU. `libraries` are the files without which it does not run: libtorch_cpu.so names
 * libcudart and libcupti although it uses neither without a GPU, and has `$ORIGIN` in its search path, so all lie side
 * by side.
 */
export const cpuWheels = [
  { project: 'torch', version: libtorchVersion, packedBytes: 531e6, libraries: torchLibraries },
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

/**
 * The same for building: also the headers, and libtorch.so, which is only for the linker. libtorch_cuda.so stays out: with
 * it in lib/ the addon would be linked to it.
 */
export const wheels = cpuWheels.map((wheel) =>
  wheel.project === 'torch'
    ? {
        ...wheel,
        libraries: [...torchLibraries, torchLibrary('libtorch.so')],
        headers: { from: 'torch/include/', to: 'include/' },
      }
    : wheel,
);

/** Everything but what only Python, a compiler of kernels or the profiler's own tools load; each file keeps its place. */
const cudaParts = {
  torch: /^torch\/lib\/(?!libtorch_python|libshm)[^/]+\.so(\.\d+)*$/,
  nvidia: /^nvidia\/[^/]+\/lib\/(?!libnvperf|libcheckpoint|libpcsampling)[^/]+\.so(\.\d+)*$/,
};

const nvidia = (project, version) => ({ project, version, libraries: [], keep: cudaParts.nvidia });

/** The wheels for computing with CUDA 13, as torch's own metadata pins them. */
export const cudaWheels = [
  { project: 'torch', version: libtorchVersion, libraries: [], keep: cudaParts.torch },
  nvidia('nvidia-cublas', '13.1.0.3'),
  nvidia('nvidia-cuda-cupti', '13.0.85'),
  nvidia('nvidia-cuda-nvrtc', '13.0.88'),
  nvidia('nvidia-cuda-runtime', '13.0.96'),
  nvidia('nvidia-cudnn-cu13', '9.19.0.56'),
  nvidia('nvidia-cufft', '12.0.0.61'),
  nvidia('nvidia-cufile', '1.15.1.6'),
  nvidia('nvidia-curand', '10.4.0.35'),
  nvidia('nvidia-cusolver', '12.0.4.66'),
  nvidia('nvidia-cusparse', '12.6.3.3'),
  nvidia('nvidia-cusparselt-cu13', '0.8.0'),
  nvidia('nvidia-nccl-cu13', '2.28.9'),
  nvidia('nvidia-nvjitlink', '13.0.88'),
  nvidia('nvidia-nvshmem-cu13', '3.4.5'),
  nvidia('nvidia-nvtx', '13.0.85'),
];

/** Bytes that the unpacked files for building take, and that the wheels take while they are there. */
export const unpackedBytes = 500e6;
export const packedBytes = wheels.reduce((sum, wheel) => sum + wheel.packedBytes, 0);
/** Bytes that the CUDA variant takes unpacked. */
export const cudaUnpackedBytes = 3.8e9;

/** What a wheel's file name begins with: `nvidia_cuda_runtime-13.0.96-`. */
export function wheelPrefix({ project, version }) {
  return `${project.replaceAll('-', '_')}-${version}-`;
}

/** `{ from, to }` for each file of the opened wheel that is unpacked; throws an Error naming what is missing. */
export function filesToUnpack(wheel, zip) {
  const chosen = [...wheel.libraries];
  const missing = chosen.filter(({ from }) => !zip.entries.has(from)).map(({ from }) => from);
  const { headers, keep } = wheel;
  for (const entry of zip.entries.values()) {
    if (entry.isFolder) continue;
    if (headers && entry.name.startsWith(headers.from))
      chosen.push({ from: entry.name, to: headers.to + entry.name.slice(headers.from.length) });
    else if (keep?.test(entry.name)) chosen.push({ from: entry.name, to: entry.name });
    else if (license.test(entry.name))
      chosen.push({ from: entry.name, to: `licenses/${wheel.project}/${entry.name.split('/').at(-1)}` });
  }
  if (headers && !chosen.some(({ to }) => to.startsWith(headers.to))) missing.push(headers.from);
  if (keep && !chosen.some(({ from }) => keep.test(from))) missing.push('libraries');
  if (missing.length > 0)
    throw new Error(
      `this is not the Linux wheel of ${wheel.project} ${wheel.version}: it has no ${missing.join(', ')} in it`,
    );
  return chosen;
}
