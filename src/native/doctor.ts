import { existsSync } from 'node:fs';
import { RecurraError } from '../errors.js';
import { addonCandidates, packageVersion } from './addon.js';
import { type CudaStatus, cudaStatus } from './cuda.js';
import { LIBTORCH_VERSION, type LocatedLibtorch, locateLibtorch } from './libtorch.js';
import { light } from './light.js';
import { platformName } from './platform.js';
import { torch } from './torch.js';

/** What {@link diagnose} found. */
export interface Diagnosis {
  /** `true` if everything that computes on the CPU works. */
  ok: boolean;
  /** Versions of this package and of Node. */
  versions: { recurra: string; node: string; napi: string };
  /** Platform as the prebuilt packages are named. */
  platform: string;
  /** The processor; `features` are the vector extensions that matter here. */
  cpu: { arch: string; features: string[]; logicalProcessors: number } | undefined;
  /** The light addon: where it was found, or why it was not. */
  addon: { path?: string; error?: string };
  /** libtorch: which one, from where, or why none. */
  libtorch: {
    expected: string;
    version?: string;
    source?: string;
    folder?: string;
    threads?: number;
    code?: string;
    error?: string;
  };
  /** CUDA, or why not. */
  cuda: CudaStatus;
}

/** Finds out what works here, by trying it: loads both addons and libtorch. Never throws. */
export function diagnose(): Diagnosis {
  const diagnosis: Diagnosis = {
    ok: true,
    versions: { recurra: packageVersion(), node: process.versions.node, napi: process.versions.napi ?? 'none' },
    platform: platformName(),
    cpu: undefined,
    addon: {},
    libtorch: { expected: LIBTORCH_VERSION },
    cuda: { available: false, reason: 'the light addon could not be loaded' },
  };
  try {
    diagnosis.cpu = light().cpuInfo();
    const path = addonCandidates('recurra').find((candidate) => existsSync(candidate));
    if (path) diagnosis.addon.path = path;
  } catch (error) {
    diagnosis.ok = false;
    diagnosis.addon.error = (error as Error).message;
    return diagnosis;
  }
  let located: LocatedLibtorch | undefined;
  try {
    located = locateLibtorch();
    Object.assign(diagnosis.libtorch, { source: located.source, folder: located.folder });
    const binding = torch();
    Object.assign(diagnosis.libtorch, { version: binding.torchVersion(), threads: binding.getNumThreads() });
  } catch (error) {
    diagnosis.ok = false;
    diagnosis.libtorch.error = (error as Error).message;
    if (error instanceof RecurraError) diagnosis.libtorch.code = error.code;
  }
  diagnosis.cuda = cudaStatus(located);
  return diagnosis;
}
