import { existsSync } from 'node:fs';
import { RecurraError } from '../core/errors.js';
import { addonCandidates, packageVersion, prebuiltPackage } from './addon.js';
import { type CudaStatus, cudaStatus } from './cuda.js';
import { LIBTORCH_VERSION, locateLibtorch } from './libtorch.js';
import { light } from './light.js';
import { platformName } from './platform.js';
import { torch } from './torch.js';

/** Versions for a problem report. */
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
  /** Vector extensions that the kernels use. */
  features: string[];
  /** Logical processors that this process may use. */
  logicalProcessors: number;
}

/** The light addon: where it was found, or why it could not be loaded. */
export interface AddonStatus {
  /** Its file. */
  path?: string;
  /** Why it could not be loaded. */
  error?: string;
  /** The npm package with it for this platform, if it could not be loaded and the package exists. */
  package?: string;
}

/** libtorch: which one, from where, or why none. */
export interface LibtorchStatus {
  /** The version that is needed. */
  expected: string;
  /** The version that was opened. */
  version?: string;
  /** What determined the place: an environment variable, the npm package, the cache folder. */
  source?: string;
  /** Folder of the libraries. */
  folder?: string;
  /** Threads that it computes with. */
  threads?: number;
  /** Code of the error, if it could not be used. */
  code?: string;
  /** The error's message, with every place searched. */
  error?: string;
  /** The commands that install what is missing, if nothing is broken: libtorch, or the addon that uses it. */
  install?: string[];
}

/** Result of {@link diagnose}. */
export interface Diagnosis {
  /** `true` if everything installed works: the models, and tensors unless libtorch is simply not installed. */
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

/** The commands that install what is missing; undefined if what failed is there, or cannot be had. */
function missingParts({ libtorch: { code }, platform }: Diagnosis): string[] | undefined {
  const addonThere = addonCandidates('recurra-torch').some((candidate) => existsSync(candidate));
  const addon = prebuiltPackage('recurra-torch', platform);
  const commands = addonThere || addon === undefined ? [] : [`npm install ${addon}`];
  if (code === 'LIBTORCH_NOT_FOUND') return [...commands, 'npx recurra libtorch install'];
  return code === 'ADDON_NOT_FOUND' && commands.length > 0 ? commands : undefined;
}

/**
 * Checks the installation by trying it: loads both addons and libtorch, if installed. Never throws.
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
    // A libtorch or torch addon that is not installed, or not available, only affects tensors; a libtorch that was named
    // explicitly but does not work is an error.
    const named = process.env.RECURRA_LIBTORCH || process.env.LIBTORCH;
    const install = missingParts(diagnosis);
    const unavailable = diagnosis.libtorch.code === 'LIBTORCH_UNSUPPORTED_PLATFORM';
    if (named || !(install || unavailable)) diagnosis.ok = false;
    else if (install) diagnosis.libtorch.install = install;
  }
  diagnosis.cuda = cudaStatus();
  return diagnosis;
}
