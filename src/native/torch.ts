import type { torch as torchNamespace } from '../../index.d.js';
import { LibtorchError, RecurraError } from '../core/errors.js';
import { loadAddon } from './addon.js';
import { locateLibtorch, openLocated } from './libtorch.js';
import { wrapBinding } from './wrap.js';

/** The torch addon's functions and classes. */
export type TorchBinding = typeof torchNamespace;
/** A handle on a tensor of libtorch. */
export type NativeTensor = torchNamespace.NativeTensor;
/** A handle on an optimizer's state. */
export type NativeOptimizer = torchNamespace.NativeOptimizer;

/** Messages of the loaders of Linux, macOS and Windows about a missing symbol. */
const WITHOUT_SYMBOL = /undefined symbol|Symbol not found|procedure could not be found/i;

let binding: TorchBinding | undefined;
let folder: string | undefined;

/**
 * The torch addon. At the first call it finds and opens libtorch, then loads the addon.
 *
 * @throws {@link LibtorchError} if libtorch is not found or does not match.
 */
export function torch(): TorchBinding {
  if (binding) return binding;
  const located = locateLibtorch();
  openLocated(located);
  let loaded: object;
  try {
    loaded = loadAddon('recurra-torch');
  } catch (error) {
    if (error instanceof RecurraError && WITHOUT_SYMBOL.test(error.message)) {
      throw new LibtorchError(
        'LIBTORCH_WRONG_VERSION',
        `${located.folder} does not match the torch addon: ${error.message}`,
        {
          cause: error,
        },
      );
    }
    throw error;
  }
  binding = wrapBinding(loaded as TorchBinding);
  folder = located.folder;
  return binding;
}

/** Folder of the libtorch that was opened; undefined before {@link torch}. */
export function openedFolder(): string | undefined {
  return folder;
}

/** `true` once the torch addon has been loaded in this thread. */
export function torchIsLoaded(): boolean {
  return binding !== undefined;
}
