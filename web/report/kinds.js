// The sections of taggers, language models and models from sequence to sequence.

import { chart } from './charts.js';
import { count, el, note, percent, placeOf, section } from './dom.js';
import { shareTile, tile, tiles, trainingSection } from './overview.js';
import { groupTable, labelTable, table } from './tables.js';

/** A sentence with parts marked; each followed by its label. */
function marked(text, parts, kind) {
  const tokens = text.split(' ');
  const line = el('p', { class: 'marks', dir: 'auto' }, el('small', {}, kind), ' ');
  const starts = new Map(parts.map((part) => [part.start, part]));
  for (let at = 0; at < tokens.length; at++) {
    const part = starts.get(at);
    if (!part) {
      line.append(tokens[at], ' ');
      continue;
    }
    line.append(el('mark', {}, tokens.slice(at, part.end).join(' '), el('small', {}, ` ${part.label}`)), ' ');
    at = part.end - 1;
  }
  return line;
}

const plain = (measures) =>
  measures.map(({ precision, recall, f1, ...rest }) => ({
    ...rest,
    precision: { value: precision },
    recall: { value: recall },
    f1: { value: f1 },
  }));

const KINDS_OF_ERRORS = {
  label: 'right borders, another label',
  borders: 'right label, other borders',
  both: 'other borders and label',
  missed: 'missed',
  spurious: 'found where nothing is',
};

/** The sections of a tagger. */
export function tagger(report) {
  const { accuracy, overall, perLabel, errors, confusions, calibration, mistakes, sentences, rows, tokens } = report;
  const figures = tiles(
    overall &&
      tile(
        'F1 of spans',
        percent(overall.f1),
        `precision ${percent(overall.precision)}, recall ${percent(overall.recall)}`,
      ),
    shareTile('Tokens with the right tag', accuracy),
    tile('Calibration error', percent(calibration.error), overall ? 'of the spans found' : 'of the tags'),
    tile('Sentences', count(rows), `${count(tokens)} tokens`),
  );
  const kinds =
    errors &&
    table(
      'Errors of spans by their kind',
      [
        { name: 'Kind', of: ({ name }) => name, text: true },
        { name: 'Spans', of: ({ spans }) => spans, show: ({ spans }) => count(spans) },
      ],
      Object.entries(KINDS_OF_ERRORS).map(([key, name]) => ({ name, spans: errors[key] })),
    );
  const frequent = table(
    'The most frequent mistakes',
    [
      { name: 'Text', of: ({ text }) => text, text: true },
      { name: 'Right', of: ({ truth }) => truth ?? '–', text: true },
      { name: 'Given', of: ({ predicted }) => predicted ?? '–', text: true },
      { name: 'Times', of: (each) => each.count, show: (each) => count(each.count) },
      {
        name: 'First seen',
        of: ({ context }) => context.sentence,
        show: ({ context }) => placeOf({ row: context.sentence, line: context.line }),
      },
    ],
    mistakes,
    { first: 15 },
  );
  const pairs = table(
    'Labels taken for one another, token by token',
    [
      { name: 'Right', of: ({ truth }) => truth, text: true },
      { name: 'Given', of: ({ predicted }) => predicted, text: true },
      { name: 'Tokens', of: (each) => each.rows, show: (each) => count(each.rows) },
    ],
    confusions,
    { first: 10 },
  );
  const shown = sentences.map((each) =>
    el(
      'li',
      {},
      el('small', {}, placeOf(each)),
      marked(each.text, each.truth, 'right'),
      marked(each.text, each.predicted, 'given'),
    ),
  );
  return [
    section('summary', 'Summary', figures),
    section('labels', 'Each label', labelTable(plain(perLabel), overall ? 'Spans' : 'Tokens')),
    section('errors', 'What goes wrong', ...[kinds, frequent, pairs].filter(Boolean)),
    section(
      'sentences',
      'Sentences with errors',
      note(`A sample of ${count(sentences.length)}.`),
      el('ul', { class: 'texts' }, ...shown),
    ),
    trainingSection(report),
  ];
}

/** The sections of a language model. */
export function language(report) {
  const { perplexity, bitsPerCharacter, loss, rows, units, positions, hardest, samples } = report;
  const written = (value) => String(Number(value.toPrecision(4)));
  const xs = positions.map(({ to }) => Math.log2(to));
  const places = chart({
    title: 'Perplexity by place in the text',
    says: `From ${written(positions[0]?.perplexity ?? 0)} for the first unit to ${written(positions.at(-1)?.perplexity ?? 0)} for the last ones.`,
    x: { name: 'Place up to', show: (value) => count(Math.round(2 ** value)) },
    xs,
    show: written,
    from: 0,
    to: 1.1 * Math.max(1, ...positions.map((each) => each.perplexity)),
    series: [{ name: 'perplexity', values: positions.map((each) => each.perplexity), colour: 'first' }],
  });
  const hard = table(
    'Texts that the model finds least probable',
    [
      { name: 'Text', of: ({ text }) => text, text: true },
      { name: 'Perplexity', of: (each) => each.perplexity, show: (each) => written(each.perplexity) },
      { name: 'Where', of: ({ row }) => row, show: placeOf },
    ],
    hardest,
  );
  return [
    section(
      'summary',
      'Summary',
      tiles(
        tile('Perplexity', written(perplexity), `of ${units}`),
        tile('Bits per character', bitsPerCharacter.toFixed(3)),
        tile('Loss', loss.toFixed(4), 'nats a unit'),
        tile('Units measured', count(rows), units),
      ),
    ),
    section(
      'places',
      'Where it does well',
      places,
      hard,
      note('Of the first 100 texts, of each at most 2,000 characters.'),
    ),
    section(
      'samples',
      'What it writes',
      el(
        'ul',
        { class: 'texts' },
        ...samples.map(({ seed, text }) =>
          el('li', {}, el('blockquote', { dir: 'auto' }, text || '(nothing)'), el('small', {}, `seed ${seed}`)),
        ),
      ),
    ),
    trainingSection(report),
  ];
}

/** The sections of a model from sequence to sequence. */
export function sequences(report) {
  const { accuracy, unitErrorRate, bleu, loss, rows, groupings, worst } = report;
  const pairs = table(
    'Answers with most edits for their length',
    [
      { name: 'Read', of: ({ source }) => source, text: true },
      { name: 'Written', of: ({ text }) => text, text: true },
      { name: 'Right', of: ({ references }) => references.join(' / '), text: true },
      { name: 'Edits', of: ({ edits }) => edits, show: ({ edits }) => count(edits) },
    ],
    worst,
  );
  return [
    section(
      'summary',
      'Summary',
      tiles(
        shareTile('Answered right', accuracy),
        tile('Edits by unit', percent(unitErrorRate)),
        tile('BLEU', bleu.toFixed(1)),
        tile('Loss', loss.toFixed(4), 'nats a unit'),
        tile('Sources', count(rows)),
      ),
    ),
    section('groups', 'Where it does well', ...groupings.map(groupTable)),
    section('worst', 'The worst answers', worst.length > 0 ? pairs : note('All answers are right.')),
    trainingSection(report),
  ];
}
