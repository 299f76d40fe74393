import type { light as lightNamespace } from '../../index.d.js';
import { loadAddon } from './addon.js';
import { wrapBinding } from './wrap.js';

/** The light addon's functions. */
export type LightBinding = typeof lightNamespace;

let binding: LightBinding | undefined;

/** The light addon, loaded at the first call. It needs no libtorch. */
export function light(): LightBinding {
  binding ??= wrapBinding(loadAddon('recurra') as LightBinding);
  return binding;
}
