// The systems that torch 2.11.0 is available for, and the contents of their wheels, taken from the wheels themselves.
// docs/platforms.md lists those that libtorch was run on.

import { libtorchVersion } from './places.mjs';

const library = (folder, name) => ({ from: `${folder}/${name}`, to: `lib/${name}` });
const torchLibrary = (name) => library('torch/lib', name);

/**
 * `libraries` are the files of torch's wheel needed to compute on the CPU, `linking` those that a build of the torch
 * addon needs as well.
 */
const torchWheel = (packedBytes, libraries, linking) => ({
  project: 'torch',
  version: libtorchVersion,
  packedBytes,
  libraries: libraries.map(torchLibrary),
  linking: linking.map(torchLibrary),
});

/**
 * On Linux libtorch_cpu.so names libcudart and libcupti although it uses neither without a GPU. It has `$ORIGIN` in its
 * search path, so all are in one folder.
 */
const cudaNamed = [
  {
    project: 'nvidia-cuda-runtime',
    version: '13.0.96',
    packedBytes: 2e6,
    libraries: [library('nvidia/cu13/lib', 'libcudart.so.13')],
    linking: [],
  },
  {
    project: 'nvidia-cuda-cupti',
    version: '13.0.85',
    packedBytes: 11e6,
    libraries: [library('nvidia/cu13/lib', 'libcupti.so.13')],
    linking: [],
  },
];

const manylinux = (arch) =>
  ['2014', ...[17, 25, 27, 28].map((minor) => `_2_${minor}`)].map((v) => `manylinux${v}_${arch}`);

/**
 * By `process.platform` and `process.arch`:
 *
 * - `title`: the system's name in messages.
 * - `wheelName`: the ending of each wheel's name; `pipPlatforms`: the same for pip, the oldest first.
 * - `mainLibrary`: the library that the light addon opens; it links to the others.
 * - `wheels`: for computing on the CPU. libtorch.so is only for the linker; libtorch_cuda.so is excluded, or the addon
 *   would be linked to it.
 * - `unpackedBytes`: their size on disk, to run and to build the torch addon.
 * - `npmPackage`: whether npm has them too, as `recurra-libtorch-<platform>-<arch>`.
 */
export const systems = {
  'linux-x64': {
    title: 'Linux on x86-64',
    wheelName: /(manylinux|linux)\w*_x86_64\.whl$/,
    pipPlatforms: manylinux('x86_64'),
    mainLibrary: 'libtorch_cpu.so',
    wheels: [torchWheel(531e6, ['libtorch_cpu.so', 'libc10.so', 'libgomp.so.1'], ['libtorch.so']), ...cudaNamed],
    unpackedBytes: { run: 470e6, build: 500e6 },
    npmPackage: true,
  },
  'linux-arm64': {
    title: 'Linux on arm64',
    wheelName: /(manylinux|linux)\w*_aarch64\.whl$/,
    pipPlatforms: manylinux('aarch64'),
    mainLibrary: 'libtorch_cpu.so',
    wheels: [
      torchWheel(
        420e6,
        [
          'libtorch_cpu.so',
          'libc10.so',
          'libgomp.so.1',
          'libarm_compute.so',
          'libarm_compute_graph.so',
          'libnvpl_blas_core.so.0',
          'libnvpl_blas_lp64_gomp.so.0',
          'libnvpl_lapack_core.so.0',
          'libnvpl_lapack_lp64_gomp.so.0',
        ],
        ['libtorch.so'],
      ),
      ...cudaNamed,
    ],
    unpackedBytes: { run: 297e6, build: 340e6 },
    npmPackage: false,
  },
  'darwin-arm64': {
    title: 'macOS on Apple silicon',
    wheelName: /macosx_\d+_\d+_(arm64|universal2)\.whl$/,
    pipPlatforms: ['macosx_11_0_arm64'],
    mainLibrary: 'libtorch_cpu.dylib',
    wheels: [torchWheel(81e6, ['libtorch_cpu.dylib', 'libc10.dylib', 'libomp.dylib'], ['libtorch.dylib'])],
    unpackedBytes: { run: 219e6, build: 260e6 },
    npmPackage: false,
  },
  'win32-x64': {
    title: 'Windows on x86-64',
    wheelName: /win_amd64\.whl$/,
    pipPlatforms: ['win_amd64'],
    mainLibrary: 'torch_cpu.dll',
    wheels: [
      torchWheel(
        115e6,
        ['torch_cpu.dll', 'c10.dll', 'libiomp5md.dll', 'uv.dll'],
        ['torch.dll', 'torch.lib', 'torch_cpu.lib', 'c10.lib'],
      ),
    ],
    unpackedBytes: { run: 269e6, build: 340e6 },
    npmPackage: false,
  },
};

/** The key of {@link systems} for a machine. */
export const systemName = ({ platform, arch } = process) => `${platform}-${arch}`;

/** The system of a machine, by its name as `linux-x64`; undefined where there is no libtorch for it. */
export const systemOf = (name = systemName()) => (Object.hasOwn(systems, name) ? systems[name] : undefined);

/** The wheels for building the torch addon: also the headers, and what is only for the linker. */
export function buildWheels(system) {
  return system.wheels.map((wheel) => ({
    ...wheel,
    libraries: [...wheel.libraries, ...wheel.linking],
    ...(wheel.project === 'torch' && { headers: { from: 'torch/include/', to: 'include/' } }),
  }));
}

/** Bytes to download. */
export const packedBytes = (wheels) => wheels.reduce((sum, wheel) => sum + wheel.packedBytes, 0);

/** The files that make up an installation, without `lib/`. */
export const librariesOf = (system) =>
  system.wheels.flatMap((wheel) => wheel.libraries).map(({ to }) => to.slice('lib/'.length));

/** Everything except files that only Python, kernel compilers or the profiler load; each file keeps its path. */
const cudaParts = {
  torch: /^torch\/lib\/(?!libtorch_python|libshm)[^/]+\.so(\.\d+)*$/,
  nvidia: /^nvidia\/[^/]+\/lib\/(?!libnvperf|libcheckpoint|libpcsampling)[^/]+\.so(\.\d+)*$/,
};

const nvidia = (project, version) => ({ project, version, libraries: [], keep: cudaParts.nvidia });

/** The wheels for computing with CUDA 13 on Linux on x86-64, as torch's own metadata pins them. */
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

/** The system that {@link cudaWheels} are for, and the bytes that they take unpacked. */
export const cudaSystem = 'linux-x64';
export const cudaUnpackedBytes = 3.8e9;

/** Systems for a message: `a, b and c`. */
export function systemTitles() {
  const titles = Object.values(systems).map(({ title }) => title);
  return `${titles.slice(0, -1).join(', ')} and ${titles.at(-1)}`;
}
