// Whether the probabilities can be trusted, and the rows that are worth a look.

import { chart } from './charts.js';
import { count, el, note, percent, placeOf, plural, section } from './dom.js';
import { table } from './tables.js';

/** A text whose tokens are coloured by what they contributed. */
function coloured(text, tokens) {
  const quote = el('blockquote', { dir: 'auto' });
  let at = 0;
  for (const { start, end, contribution } of tokens) {
    if (start < at || end > text.length) continue;
    quote.append(text.slice(at, start));
    const strength = Math.round(70 * Math.abs(contribution));
    const part = el(
      'span',
      {
        class: contribution < 0 ? 'against' : 'for',
        title: `${contribution > 0 ? '+' : ''}${contribution.toFixed(2)}`,
      },
      text.slice(start, end),
    );
    part.style.setProperty('--heat', `${strength}%`);
    quote.append(part);
    at = end;
  }
  quote.append(text.slice(at));
  return quote;
}

const names = (labels) => (labels.length === 0 ? 'no label' : labels.join(', '));

/** The most confident mistakes. */
export function mistakeSection({ mistakes }) {
  const items = mistakes.map((each) =>
    el(
      'li',
      {},
      el(
        'p',
        { class: 'verdict' },
        el('b', {}, names(each.predicted)),
        ` ${percent(each.probability)} sure; right is `,
        el('b', {}, names(each.truth)),
        el('small', {}, ` ${placeOf(each)}`),
      ),
      coloured(each.text || '(empty)', each.tokens),
    ),
  );
  const key = note(
    'The parts of each text that speak ',
    el('span', { class: 'for key' }, 'for'),
    ' the given label, and those ',
    el('span', { class: 'against key' }, 'against'),
    ' it: by how much its score falls without the word, or the linear model’s part if that has the larger share. A label that is wrong in the data shows here too.',
  );
  return section(
    'mistakes',
    'The most confident mistakes',
    ...(items.length > 0 ? [key, el('ol', { class: 'texts' }, ...items)] : [note('There are none.')]),
  );
}

/** Rows whose label is probably wrong. */
export function doubtSection({ doubtful }) {
  if (!doubtful) return null;
  const { outOfSample, rows, examples } = doubtful;
  const how = outOfSample
    ? 'Judged by models that have not seen the row, by confident learning as cleanlab defines it.'
    : 'Judged by this model itself, by confident learning: if it was trained on these rows, it hides mistakes that it has learned by heart. With --labels models that have not seen the row judge.';
  const found = table(
    `Rows whose label is probably wrong: ${count(rows)}${examples.length < rows ? `, of which the ${examples.length} most doubtful are shown` : ''}`,
    [
      { name: 'Text', of: ({ text }) => text, show: ({ text }) => el('span', { dir: 'auto' }, text), text: true },
      { name: 'Label', of: ({ labels }) => labels[0], text: true },
      { name: 'Probably', of: ({ suggested }) => suggested, text: true },
      {
        name: 'Probability of its label',
        of: ({ probability }) => probability,
        show: ({ probability }) => percent(probability),
      },
      { name: 'Where', of: ({ row }) => row, show: placeOf },
    ],
    examples,
    { first: 20 },
  );
  return section('doubtful', 'Labels that are probably wrong', note(how), rows > 0 ? found : note('None was found.'));
}

/** Calibration, and what can be labelled at a precision. */
export function trustSection({ calibration, coverage }) {
  const { error, bins } = calibration;
  const parts = bins.map(({ confidence, accuracy }) => [confidence, accuracy]);
  const xs = [0, ...parts.map(([confidence]) => confidence), 1];
  const plot = chart({
    title: 'Calibration',
    says: `The probabilities are off by ${percent(error)} on average; on the diagonal they would be right.`,
    x: { name: 'Probability that the model gives', show: (value) => percent(value, 0) },
    xs,
    xFrom: 0,
    xTo: 1,
    from: 0,
    to: 1,
    show: (value) => percent(value, 0),
    series: [
      { name: 'share that is right', values: [null, ...parts.map(([, accuracy]) => accuracy), null], colour: 'first' },
      { name: 'as promised', values: xs, colour: 'soft', dash: [4, 4] },
    ],
  });
  const points = [...coverage.points];
  const covered = chart({
    title: 'Precision against coverage',
    says: 'How many of the labels are right if only the most certain share of the rows is labelled.',
    x: { name: 'Share of rows labelled', show: (value) => percent(value, 0) },
    xs: points.map((point) => point.coverage),
    xFrom: 0,
    xTo: 1,
    to: 1,
    from: Math.max(0, Math.floor(10 * Math.min(...points.map(({ precision }) => precision)) - 0.5) / 10),
    show: (value) => percent(value, 0),
    series: [
      { name: 'precision', values: points.map(({ precision }) => precision), colour: 'first' },
      { name: 'threshold', values: points.map(({ threshold }) => threshold), colour: 'second' },
    ],
  });
  const wanted = table(
    'What can be labelled at a precision',
    [
      { name: 'Precision wanted', of: (each) => each.wanted, show: (each) => percent(each.wanted, 0) },
      {
        name: 'Rows labelled',
        of: ({ point }) => point?.coverage ?? 0,
        show: ({ point }) => (point ? percent(point.coverage) : 'none'),
      },
      {
        name: 'From this probability on',
        of: ({ point }) => point?.threshold ?? 1,
        show: ({ point }) => (point ? point.threshold.toFixed(3) : '–'),
      },
    ],
    coverage.at,
  );
  return section(
    'trust',
    'When to trust it',
    el('div', { class: 'charts two' }, plot, covered),
    wanted,
    note(
      'Thresholds chosen on these rows are a little too good; choose them on rows that nothing else is measured on.',
    ),
  );
}

/** What of the texts is in the report. */
export const sampled = (texts, rows) =>
  `${plural(texts.length, 'text')} of ${plural(rows, 'row')} ${texts.length === 1 ? 'is' : 'are'} in this page.`;
