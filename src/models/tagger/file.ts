import { type CommonDescription, modelMetadata } from '../file.js';
import type { TaggerFields } from './description.js';
import type { TaggerModelSettings } from './network.js';

/** The version of a file that is not compressed. */
const TAGGER_VERSION = 1;

/** Describes a tagger for its file. */
export function taggerMetadata(
  common: CommonDescription<TaggerModelSettings>,
  { tags, scheme, lowercase }: Omit<TaggerFields, 'splits'>,
): Record<string, string> {
  return modelMetadata('tagger', common, { tags, scheme: scheme ?? null, lowercase }, TAGGER_VERSION);
}
