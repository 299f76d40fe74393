import { type CommonDescription, modelMetadata } from '../file.js';
import { type TaggerFields, taggerFile } from './description.js';
import type { TaggerModelSettings } from './network.js';

/** Describes a tagger for its file. */
export function taggerMetadata(
  common: CommonDescription<TaggerModelSettings>,
  { tags, scheme, lowercase }: Omit<TaggerFields, 'splits'>,
): Record<string, string> {
  return modelMetadata('tagger', common, { tags, scheme: scheme ?? null, lowercase }, taggerFile.version);
}
