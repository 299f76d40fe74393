import { ModelFileError } from '../../core/errors.js';
import { checkScheme, type TagScheme } from '../../text/tags/scheme.js';
import { parseTags } from '../../text/tags/tag.js';
import type { FileKind } from '../description.js';
import { MOST_CRF_TAGS, type TaggerModelOptions, type TaggerModelSettings, taggerModelSettings } from './network.js';
import type { TagFields } from './tagSet.js';
import { TAGGER_TOKENIZERS, type TaggerTokenizer } from './tokenizer.js';

/** Fields of a tagger's file. */
export interface TaggerFields extends TagFields {
  /** How texts are split. */
  splits: TaggerTokenizer;
  /** Whether words are looked up in lower case. */
  lowercase: boolean;
}

/** A file's description, with the implied `shapeShare` of files without one. */
function withoutShare(described: TaggerModelOptions): TaggerModelOptions {
  const { subwords } = described;
  if (typeof subwords !== 'object') return described;
  return { ...described, subwords: { shapeShare: 0, dropout: 0, ...subwords } };
}

/**
 * The description of tagger files. Versions of its format:
 *
 * - 1: tags with their scheme, lowercase words or not. The first files have no `shapeShare`: the shape was one feature
 *   then.
 * - 2: compressed models. Others still have version 1.
 */
export const taggerFile: FileKind<TaggerModelSettings, TaggerFields> = {
  kind: 'tagger',
  version: 2,
  settings: (described) => taggerModelSettings(withoutShare(described)),
  parse({ tags, scheme, lowercase, tokenizer }, { decoder }) {
    const distinct =
      Array.isArray(tags) && tags.every((tag) => typeof tag === 'string') && new Set(tags).size === tags.length;
    if (!distinct || tags.length < 2) throw new ModelFileError('INVALID_FILE', 'expected two or more distinct tags');
    if (decoder === 'crf' && tags.length > MOST_CRF_TAGS)
      throw new ModelFileError('INVALID_FILE', `a CRF has at most ${MOST_CRF_TAGS} tags, not ${tags.length}`);
    if (typeof lowercase !== 'boolean') throw new ModelFileError('INVALID_FILE', 'its lowercase is not true or false');
    const splits = TAGGER_TOKENIZERS.find((name) => name === tokenizer);
    if (splits === undefined)
      throw new ModelFileError('INVALID_FILE', `a tagger cannot split texts by ${JSON.stringify(tokenizer)}`);
    const known: TagScheme | undefined = scheme === null ? undefined : checkScheme(scheme);
    if (known !== undefined) parseTags(tags, 'tags');
    return { tags: tags as string[], scheme: known, splits, lowercase };
  },
  outputs: ({ tags }) => tags.length,
};
