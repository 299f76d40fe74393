import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { TextTagger, type TextTagging } from '../../src/index.js';
import { light } from '../../src/native/light.js';
import { temporaryFolder } from '../support/folder.js';

const folder = temporaryFolder();
const fixture = join(import.meta.dirname, '../fixtures/models/tagger-v1');

/** The fixture with another description. */
async function changed(change: (model: Record<string, unknown>) => void): Promise<string> {
  const path = join(folder, 'changed.safetensors');
  copyFileSync(`${fixture}.safetensors`, path);
  const { tensors, metadata } = await light().readSafetensors(path, 1 << 30);
  const { sha256: _, ...rest } = metadata;
  const model = JSON.parse(metadata.model!) as Record<string, unknown>;
  change(model);
  await light().writeSafetensors(path, tensors, { ...rest, model: JSON.stringify(model) });
  return path;
}

describe('the file of a tagger', () => {
  it('of format 1 opens, and predicts what was recorded when it was written', async () => {
    const recorded = JSON.parse(readFileSync(`${fixture}.json`, 'utf8')) as (TextTagging & { text: string })[];
    expect(recorded.length).toBeGreaterThan(3);
    using model = await TextTagger.load(`${fixture}.safetensors`);
    for (const { text, spans, tags, knownTokens } of recorded) {
      const found = await model.predict(text);
      expect(found).toMatchObject({ tags, knownTokens });
      for (const [i, span] of spans.entries()) {
        expect(found.spans[i]).toMatchObject({ start: span.start, end: span.end, label: span.label });
        expect(found.spans[i]!.probability).toBeCloseTo(span.probability, 5);
      }
    }
  });

  it.each<[string, (model: Record<string, unknown>) => void, RegExp]>([
    ['a newer format', (model) => Object.assign(model, { formatVersion: 3 }), /format version 3.*reads up to 2/],
    ['no tags', (model) => Object.assign(model, { tags: [] }), /expected two or more distinct tags/],
    ['the same tag twice', (model) => Object.assign(model, { tags: ['O', 'O'] }), /two or more distinct tags/],
    ['a tag of no scheme', (model) => (model.tags as string[]).push('NOUN'), /tags\[\d\].*"NOUN"/],
    ['another scheme', (model) => Object.assign(model, { scheme: 'BIO' }), /IOB1.*for scheme/],
    ['another tokenizer', (model) => Object.assign(model, { tokenizer: 'basic_english' }), /cannot split texts by/],
    ['no lowercase', (model) => Object.assign(model, { lowercase: 'yes' }), /its lowercase is not true or false/],
    [
      'too many tags',
      (model) => Object.assign(model, { tags: Array.from({ length: 1e5 }, (_, i) => `S-${i}`) }),
      /at most 2048 tags/,
    ],
    [
      'other subwords',
      (model) => Object.assign(model.settings as object, { subwords: { buckets: 0 } }),
      /subwords\.buckets/,
    ],
    [
      'fewer buckets',
      (model) => Object.assign((model.settings as { subwords: object }).subwords, { buckets: 7 }),
      /subwords\.weight/,
    ],
    ['one tag more', (model) => (model.tags as string[]).push('S-NEW'), /fc\.weight|crf/],
  ])('is refused with %s', async (_, change, message) => {
    const path = await changed(change);
    const loading = TextTagger.load(path);
    await expect(loading).rejects.toThrow(message);
    await expect(loading).rejects.toMatchObject({ name: 'ModelFileError' });
  });
});
