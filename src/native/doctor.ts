import { existsSync } from 'node:fs';
import { RecurraError } from '../core/errors.js';
import { addonCandidates, packageVersion, prebuiltPackage } from './addon.js';
import { type CudaStatus, cudaStatus } from './cuda.js';
import { LIBTORCH_VERSION, locateLibtorch } from './libtorch.js';
import { light } from './light.js';
import { platformName } from './platform.js';
import { torch } from './torch.js';

/** Versions that matter when something does not work. */
export interface Versions {
  /** This package. */
  recurra: string;
  /** Node.js. */
  node: string;
  /** Node-API that this Node offers. */
  napi: string;
}

/** The processor. */
export interface Processor {
  /** Architecture, such as `x86_64`. */
  arch: string;
  /** Vector extensions that matter here. */
  features: string[];
  /** Logical processors that this process may use. */
  logicalProcessors: number;
}

/** The light addon: where it was found, or why it was not. */
export interface AddonStatus {
  /** Its file. */
  path?: string;
  /** Why it could not be loaded. */
  error?: string;
  /** The npm package that has it for this platform, if it could not be loaded and there is such a package. */
  package?: string;
}

/** libtorch: which one, from where, or why none. */
export interface LibtorchStatus {
  /** The version that is needed. */
  expected: string;
  /** The version that was opened. */
  version?: string;
  /** What named the place: an environment variable, the npm package, the cache folder. */
  source?: string;
  /** Folder of the libraries. */
  folder?: string;
  /** Threads that it computes with. */
  threads?: number;
  /** Code of the error, if it could not be used. */
  code?: string;
  /** The error's message, with every place that was looked at. */
  error?: string;
}

/** What {@link diagnose} found. */
export interface Diagnosis {
  /** `true` if everything works that is there: the classifier always, tensors unless libtorch is simply not installed. */
  ok: boolean;
  /** Versions of this package and of Node. */
  versions: Versions;
  /** Platform as the prebuilt packages are named. */
  platform: string;
  /** The processor; absent if the light addon could not be loaded. */
  cpu: Processor | undefined;
  /** The light addon. */
  addon: AddonStatus;
  /** libtorch. */
  libtorch: LibtorchStatus;
  /** CUDA, or why not. */
  cuda: CudaStatus;
}

/**
 * Finds out what works here, by trying it: loads both addons and, where it is installed, libtorch. Never throws.
 *
 * @example
 * ```ts
 * const { ok, libtorch } = diagnose();
 * console.log(ok, libtorch);
 * ```
 */
export function diagnose(): Diagnosis {
  const diagnosis: Diagnosis = {
    ok: true,
    versions: { recurra: packageVersion(), node: process.versions.node, napi: process.versions.napi ?? 'none' },
    platform: platformName(),
    cpu: undefined,
    addon: {},
    libtorch: { expected: LIBTORCH_VERSION },
    cuda: { available: false, code: 'ADDON_NOT_FOUND', reason: 'the light addon could not be loaded', devices: [] },
  };
  try {
    diagnosis.cpu = light().cpuInfo();
    const path = addonCandidates('recurra').find((candidate) => existsSync(candidate));
    if (path) diagnosis.addon.path = path;
  } catch (error) {
    diagnosis.ok = false;
    diagnosis.addon.error = (error as Error).message;
    const missing = prebuiltPackage('recurra', diagnosis.platform);
    if (missing) diagnosis.addon.package = missing;
    return diagnosis;
  }
  try {
    const located = locateLibtorch();
    Object.assign(diagnosis.libtorch, { source: located.source, folder: located.folder });
    const binding = torch();
    Object.assign(diagnosis.libtorch, { version: binding.torchVersion(), threads: binding.getNumThreads() });
  } catch (error) {
    diagnosis.libtorch.error = (error as Error).message;
    if (error instanceof RecurraError) diagnosis.libtorch.code = error.code;
    // One that is simply not there, or cannot be, is missed by tensors alone; one that somebody named and that does not work is a fault.
    const named = process.env.RECURRA_LIBTORCH || process.env.LIBTORCH;
    const absent = ['LIBTORCH_NOT_FOUND', 'LIBTORCH_UNSUPPORTED_PLATFORM'];
    if (!absent.includes(diagnosis.libtorch.code ?? '') || named) diagnosis.ok = false;
  }
  diagnosis.cuda = cudaStatus();
  return diagnosis;
}
