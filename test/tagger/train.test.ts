import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  convertTags,
  type RecurraError,
  type TaggerTrainOptions,
  type TagRow,
  TextClassifier,
  TextTagger,
  tokensInText,
} from '../../src/index.js';
import { temporaryFolder } from '../support/folder.js';
import { placeRows } from '../support/places.js';
import { topicTexts } from '../support/texts.js';

const folder = temporaryFolder();
const SMALL: TaggerTrainOptions = { embeddingDim: 12, hiddenSize: 12, epochs: 2, lr: 0.02, threads: 1, seed: 1 };
const rows = placeRows(120);
/** The same with tokens and tags. */
const tagged = rows.map(({ text, spans }): TagRow & { tags: string[] } => {
  const tokens = tokensInText(text);
  const tags = tokens.map(({ start }) => {
    const span = spans.find((each) => start >= each.start && start < each.end);
    return span === undefined ? 'O' : `${start === span.start ? 'B' : 'I'}-${span.label}`;
  });
  return { tokens: tokens.map(({ token }) => token), tags };
});

async function bytesOf(model: TextTagger, name: string): Promise<Buffer> {
  const path = join(folder, name);
  await model.save(path);
  return readFileSync(path);
}

/** Trains and tells of the warnings. */
async function trained(given: Iterable<TagRow>, options: TaggerTrainOptions = {}) {
  const warnings: RecurraError[] = [];
  const model = await TextTagger.train(given, {
    ...SMALL,
    onEvent: (event) => event.type === 'warning' && warnings.push(event.error),
    ...options,
  });
  return { model, warnings: warnings.map(({ message }) => message) };
}

describe('the training of a tagger', () => {
  it('learns the same of spans and of tags, whatever their scheme', async () => {
    using ofSpans = (await trained(rows)).model;
    const bytes = await bytesOf(ofSpans, 'spans');
    for (const scheme of ['IOB1', 'IOB2', 'IOBES', 'BILOU'] as const) {
      const written = tagged.map((row) => ({ ...row, tags: convertTags(row.tags, scheme) }));
      using model = (await trained(written)).model;
      expect(model.scheme).toBe(scheme);
      const { tags } = await model.predict(rows[3]!.text);
      expect(convertTags(tags, scheme)).toEqual(tags);
      if (scheme === 'IOB2') expect((await bytesOf(model, scheme)).equals(bytes)).toBe(true);
    }
    expect(ofSpans).toMatchObject({ scheme: 'IOB2', labels: ['LOC', 'PER'], trainedRows: 120 });
  });

  it('gives parts of speech as they are, without spans', async () => {
    const pos = tagged.map((row) => ({ ...row, tags: row.tags.map((tag) => (tag === 'O' ? 'X' : 'PROPN')) }));
    using model = (await trained(pos, { epochs: 6, validation: 0.2 })).model;
    expect(model).toMatchObject({ scheme: undefined, labels: ['PROPN', 'X'] });
    const { tags, spans } = await model.predict(['Ada', 'lives', 'in', 'Rome']);
    expect(tags).toEqual(['PROPN', 'X', 'X', 'PROPN']);
    expect(spans).toEqual([]);
    expect(model.kept!.validation).toMatchObject({ rows: 25 });
    expect(model.kept!.validation).not.toHaveProperty('f1');
    const evaluation = await model.evaluate(pos);
    expect(evaluation).toMatchObject({ scheme: undefined, sentences: 120, labels: ['PROPN', 'X'] });
    expect(evaluation.accuracy).toBeGreaterThan(0.95);
  });

  it('keeps the epoch with the best F1, and measures as evaluate does', async () => {
    const held = placeRows(30);
    const { model } = await trained(rows, { epochs: 5, validation: held });
    using _ = model;
    const f1 = model.history.map(({ validation }) => validation!.f1!);
    expect(model.kept!.validation!.f1).toBe(Math.max(...f1));
    const evaluation = await model.evaluate(held);
    if (evaluation.scheme === undefined) throw new Error('it has a scheme');
    expect(evaluation.microAverage.f1).toBeCloseTo(model.kept!.validation!.f1!, 10);
    expect(evaluation.sentences).toBe(30);
    expect(evaluation.perLabel.map(({ label, support }) => [label, support])).toEqual([
      ['LOC', 30],
      ['PER', 30],
    ]);
  });

  it('says how probable the right tags of the validation rows are', async () => {
    const pos = tagged.map((row) => ({ ...row, tags: row.tags.map((tag) => (tag === 'O' ? 'X' : 'PROPN')) }));
    const held = pos.slice(0, 20);
    using model = (await trained(pos, { decoder: 'softmax', epochs: 1, validation: held })).model;
    let [sum, tokens] = [0, 0];
    await model.evaluate(held, {
      onPrediction: ({ tags, predicted, probabilities }) => {
        // Of two tags the other one has the rest.
        for (const [i, p] of probabilities.entries()) sum -= Math.log(predicted[i] === tags[i] ? p : 1 - p);
        tokens += tags.length;
      },
    });
    expect(model.kept!.validation!.loss).toBeCloseTo(sum / tokens, 4);
    expect(sum / tokens).toBeGreaterThan(0.01);
  });

  it('resumes to the same bits, with a checkpoint that is a model', async () => {
    const path = join(folder, 'checkpoint');
    const options: TaggerTrainOptions = { ...SMALL, epochs: 4, validation: 0.2 };
    using whole = await TextTagger.train(rows, options);
    const run = TextTagger.start(rows, { ...options, checkpoint: { path, everySteps: 2 } });
    for await (const { step } of run) if (step >= 6) run.stop();
    await (await run.result).close();
    using early = await TextTagger.load(path);
    expect((await early.predict('Ada')).tags).toHaveLength(1);
    using resumed = await TextTagger.train(rows, { resume: path });
    expect((await bytesOf(resumed, 'resumed')).equals(await bytesOf(whole, 'whole'))).toBe(true);
    await expect(TextTagger.train(rows.slice(1), { resume: path })).rejects.toMatchObject({ code: 'DATA_MISMATCH' });
    // Of the same words, but written otherwise.
    const loud = rows.map(({ text, spans }) => ({ text: text.toUpperCase(), spans }));
    await expect(TextTagger.train(loud, { resume: path })).rejects.toMatchObject({ code: 'DATA_MISMATCH' });
    await expect(TextTagger.train(rows, { resume: path, decoder: 'softmax' })).rejects.toThrow(/decoder was "crf"/);
  });

  it('reads without subwords, with case, by characters, and in short parts', async () => {
    const { model } = await trained(rows, { subwords: false, lowercase: false, maxLength: 3, epochs: 1 });
    using _ = model;
    expect(model.vocab.has('Ada')).toBe(true);
    expect((await model.predict(rows[0]!.text)).tags).toHaveLength(tokensInText(rows[0]!.text).length);
    const spaced = rows.map(({ text, spans }) => ({ text, spans }));
    for (const [subwords, message] of [
      [{ shapeShare: 1 }, /0 to 0\.9 for subwords\.shapeShare/],
      [{ dropout: 1 }, /for subwords\.dropout/],
    ] as const)
      await expect(trained(rows, { subwords })).rejects.toThrow(message);
    using byCharacters = (await trained(spaced, { tokenizer: 'characters', epochs: 1 })).model;
    expect((await byCharacters.predict('😀 a')).tokens).toEqual(['😀', 'a']);
  });
});

describe('rows of a tagger', () => {
  it('have either tokens or a text', async () => {
    const both = { text: 'Ada', spans: [], tokens: ['Ada'], tags: ['O'] };
    const expected =
      'row 2: expected { tokens, tags } or { text, spans }, not both, but found tokens, tags, text, spans';
    await expect(TextTagger.train([rows[0]!, both], SMALL)).rejects.toMatchObject({
      code: 'INVALID_ROW',
      message: expected,
    });
    const half = { text: 'Ada', tokens: ['Ada'] } as unknown as TagRow;
    await expect(TextTagger.train([half], SMALL)).rejects.toThrow(/not both, but found tokens, text$/);
  });

  it('may have spans that fall not on borders of tokens, and are then told of', async () => {
    const cut = [...rows, { text: 'Unbelievable', spans: [{ start: 2, end: 9, label: 'PER' }] }];
    const { model, warnings } = await trained(cut);
    await model.close();
    expect(warnings).toEqual([
      expect.stringMatching(
        /^1 span does not .* and was widened .* "PER", "believa" from 2 to 9, in row 121; splitTokens: true/,
      ),
    ]);
    const split = await trained(cut, { splitTokens: true });
    await split.model.close();
    expect(split.warnings).toEqual([]);
    expect(split.model.vocab.has('believa')).toBe(true);
  });

  it('may have tags that do not follow their scheme, and are then told of', async () => {
    const { model, warnings } = await trained([...tagged, { tokens: ['a', 'b'], tags: ['O', 'I-PER'] }]);
    await model.close();
    expect(warnings).toEqual([
      expect.stringMatching(/^1 sentence has tags that violate IOB2.*in row 121, I-PER cannot follow O/),
    ]);
  });

  it('may be empty, and have any label', async () => {
    const odd = [
      ...tagged,
      { tokens: [], tags: [] },
      { text: ' ', spans: [] },
      ...Array.from({ length: 30 }, () => ({
        tokens: ['\0', '\ud800', '__proto__'],
        tags: ['B-__proto__', 'O', 'B-\ud800'],
      })),
    ];
    const { model } = await trained(odd, { epochs: 6 });
    using _ = model;
    expect(model.trainedRows).toBe(150);
    expect(model.labels).toEqual(['LOC', 'PER', '__proto__', '\ud800']);
    await model.save(join(folder, 'odd'));
    using loaded = await TextTagger.load(join(folder, 'odd'));
    expect(loaded.labels).toEqual(model.labels);
    const { tags } = await loaded.predict(['\0', '\ud800', '__proto__']);
    expect(tags).toEqual(['B-__proto__', 'O', 'B-\ud800']);
    expect(await loaded.evaluate(odd)).toMatchObject({ sentences: 152 });
  });

  it.each<[string, unknown[], RegExp, string]>([
    ['none', [], /there are no rows to train on/, 'EMPTY_DATASET'],
    ['empty ones', [{ tokens: [], tags: [] }], /there are no rows/, 'EMPTY_DATASET'],
    ['one tag', [{ tokens: ['a'], tags: ['O'] }], /every token has the tag "O"/, 'SINGLE_CLASS'],
    ['other numbers', [{ tokens: ['a', 'b'], tags: ['O'] }], /row 1: there are 2 tokens and 1 tags/, 'INVALID_ROW'],
    ['no tokens', [{ tokens: 'ab', tags: [] }], /row 1: expected an array of strings for tokens/, 'INVALID_ROW'],
    ['a number', [{ tokens: [1], tags: ['O'] }], /expected a string for tokens\[0\] but found number 1/, 'INVALID_ROW'],
    [
      'an empty tag',
      [{ tokens: ['a'], tags: [''], line: 7 }],
      /^7: expected a non-empty string for tags/,
      'INVALID_ROW',
    ],
    ['rows of a classifier', [{ text: 'a', label: 'b' }], /text: string "a", spans: undefined/, 'INVALID_ROW'],
    ['what is no row', [null], /row 1: expected \{ tokens, tags \} or \{ text, spans \}/, 'INVALID_ROW'],
    ['an empty span', [{ text: 'ab', spans: [{ start: 1, end: 1, label: 'X' }] }], /is empty/, 'INVALID_ROW'],
    [
      'a span beyond',
      [{ text: 'ab', spans: [{ start: 1, end: 3, label: 'X' }] }],
      /not within the text/,
      'INVALID_ROW',
    ],
    [
      'spans that overlap',
      [
        {
          text: 'abc',
          spans: [
            { start: 0, end: 2, label: 'X' },
            { start: 1, end: 3, label: 'Y' },
          ],
        },
      ],
      /row 1: two spans overlap/,
      'INVALID_ROW',
    ],
    [
      'spans beside parts of speech',
      [
        { tokens: ['a'], tags: ['NOUN'] },
        { text: 'a', spans: [] },
      ],
      /row 2 has spans, but other rows have tags without a scheme/,
      'INVALID_ROW',
    ],
  ])('are refused: %s', async (_, given, message, code) => {
    const training = TextTagger.train(given as TagRow[], SMALL);
    await expect(training).rejects.toThrow(message);
    await expect(training).rejects.toMatchObject({ code });
  });

  it('have tags that a CRF can compare', async () => {
    const many = Array.from({ length: 2_050 }, (_, i) => ({ tokens: ['a'], tags: [`T${i}`] }));
    await expect(TextTagger.train(many, SMALL)).rejects.toThrow(
      /2050 tags, but decoder 'crf', .* give decoder: 'softmax'/,
    );
    using model = await TextTagger.train(many, { ...SMALL, decoder: 'softmax', epochs: 1 });
    expect(model.labels).toHaveLength(2_050);
  });

  it('to validate on have no labels of their own', async () => {
    const validation: TagRow[] = [...tagged, { tokens: ['a'], tags: ['B-TIME'], line: 9 }];
    await expect(TextTagger.train(tagged, { ...SMALL, validation })).rejects.toMatchObject({
      code: 'UNKNOWN_LABEL',
      line: 9,
      message: expect.stringContaining(
        'an unknown label: "TIME" (1 token, first in line 9); the training rows have "LOC", "PER"',
      ),
    });
    using model = await TextTagger.train(tagged, { ...SMALL, epochs: 1 });
    await expect(model.evaluate(validation)).rejects.toMatchObject({ code: 'UNKNOWN_LABEL', line: 9 });
    const evaluation = await model.evaluate(validation, { unknownLabels: 'wrong' });
    expect(evaluation.labels).toEqual(['LOC', 'PER', 'TIME']);
    await expect(model.evaluate([{ tokens: ['a'], tags: ['NOUN'] }])).rejects.toThrow(/row 1: the tag "NOUN"/);
    await expect(model.evaluate([])).rejects.toMatchObject({ code: 'EMPTY_DATASET' });
    const empty = model.evaluate([{ tokens: [], tags: [] }]);
    await expect(empty).rejects.toMatchObject({ name: 'DataError', message: 'the rows to evaluate have no tokens' });
  });

  it('are too few for a share of them', async () => {
    const few = TextTagger.train(tagged.slice(0, 3), { ...SMALL, validation: 0.01 });
    await expect(few).rejects.toMatchObject({
      code: 'EMPTY_DATASET',
      message: expect.stringContaining('a validation share of 0.01 of 3 sentences has none'),
    });
  });
});

it('refuses the file of another kind, by its name', async () => {
  const [classes, tags] = [join(folder, 'classes'), join(folder, 'tags')];
  const options = { embeddingDim: 4, hiddenSize: 4, epochs: 1, threads: 1 };
  using classifier = await TextClassifier.train(topicTexts(40), { ...options, linear: false });
  await classifier.save(classes);
  using tagger = await TextTagger.train(tagged, options);
  await tagger.save(tags);
  await expect(TextTagger.load(classes)).rejects.toThrow('expected a model of kind "tagger", but it is a "classifier"');
  await expect(TextClassifier.load(tags)).rejects.toThrow(
    'expected a model of kind "classifier", but it is a "tagger"',
  );
  await expect(TextTagger.train(tagged, { resume: classes })).rejects.toThrow('it is a "classifier"');
});
