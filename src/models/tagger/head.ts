import type { TagsHead } from '../../engine/network.js';
import type { TaggerModelSettings } from './network.js';
import type { TagSet } from './tagSet.js';

/** What the head of a tagger's network looks like. */
export function tagsHead(set: TagSet, { decoder }: Pick<TaggerModelSettings, 'decoder'>): TagsHead {
  // A softmax ignores sequences; its tags are read as the conlleval script does.
  const forbidden = decoder === 'crf' ? set.forbidden() : undefined;
  return { kind: 'tags', outputs: set.tags.length, decoder, ...(forbidden && { forbidden }) };
}
