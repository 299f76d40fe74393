// What stands first: the figures that matter, and how the model was made.

import { chart } from './charts.js';
import { count, el, note, percent, section } from './dom.js';
import { table } from './tables.js';

/** A figure with its name and a line below it. */
export function tile(name, value, below) {
  return el('div', { class: 'tile' }, el('dt', {}, name), el('dd', {}, value, below ? el('small', {}, below) : null));
}

export const tiles = (...all) => el('dl', { class: 'tiles' }, ...all.filter(Boolean));

const interval = ({ low, high }) => `95 % interval ${(100 * low).toFixed(1)} to ${(100 * high).toFixed(1)}`;

/** A share with its interval. */
export const shareTile = (name, estimate) => tile(name, percent(estimate.value), interval(estimate));

const short = (value) => {
  if (value === null) return 'none';
  if (typeof value === 'object' && value.given === true) return 'given';
  return typeof value === 'string' ? value : JSON.stringify(value);
};

/** Numbers as they are read best. */
const written = (value) =>
  Math.abs(value) < 0.001 && value !== 0 ? value.toExponential(1) : String(Number(value.toPrecision(3)));

function curves({ curve }) {
  if (curve.length === 0) return [];
  const xs = curve.map(({ epoch }) => epoch);
  const of = (name) => curve.map((point) => point[name] ?? null);
  const has = (name) => curve.some((point) => point[name] !== undefined);
  const x = { name: 'Epoch', show: written };
  const last = (name) => curve.findLast((point) => point[name] !== undefined)?.[name];
  const made = [];
  if (has('loss')) {
    const held = has('validationLoss');
    made.push(
      chart({
        title: 'Loss',
        says: `${written(last('loss'))} at the end${held ? `, ${written(last('validationLoss'))} on the validation rows` : ''}.`,
        x,
        xs,
        show: written,
        series: [
          { name: 'training', values: of('loss'), colour: 'first' },
          ...(held ? [{ name: 'validation', values: of('validationLoss'), colour: 'second' }] : []),
        ],
      }),
    );
  }
  if (has('accuracy')) {
    const held = has('validationAccuracy');
    made.push(
      chart({
        title: 'Accuracy',
        says: `${percent(last('accuracy'))} at the end${held ? `, ${percent(last('validationAccuracy'))} on the validation rows` : ''}.`,
        x,
        xs,
        show: (value) => percent(value, 0),
        series: [
          { name: 'training', values: of('accuracy'), colour: 'first' },
          ...(held ? [{ name: 'validation', values: of('validationAccuracy'), colour: 'second' }] : []),
        ],
      }),
    );
  }
  if (has('learningRate'))
    made.push(
      chart({
        title: 'Learning rate',
        says: `From ${written(curve.find((point) => point.learningRate !== undefined).learningRate)} to ${written(last('learningRate'))}.`,
        x,
        xs,
        show: written,
        series: [{ name: 'rate', values: of('learningRate'), colour: 'third' }],
      }),
    );
  return made;
}

/** How the model was trained. */
export function trainingSection({ training, facts, version }) {
  const { record, seconds } = training;
  const facty = el(
    'dl',
    { class: 'facts' },
    ...facts.map(({ name, value }) =>
      el('div', {}, el('dt', {}, name), el('dd', {}, typeof value === 'number' ? count(value) : value)),
    ),
  );
  const parts = [facty];
  if (record) {
    const { data, options } = record;
    parts.push(
      el(
        'dl',
        { class: 'facts' },
        el('div', {}, el('dt', {}, 'training rows'), el('dd', {}, count(data.rows))),
        el('div', {}, el('dt', {}, 'validation rows'), el('dd', {}, count(data.validationRows))),
        el('div', {}, el('dt', {}, 'trained by'), el('dd', {}, `recurra ${record.version}`)),
        ...(seconds === null ? [] : [el('div', {}, el('dt', {}, 'seconds'), el('dd', {}, count(Math.round(seconds))))]),
        el(
          'div',
          { class: 'wide' },
          el('dt', {}, 'fingerprint of the rows (SHA-256)'),
          el('dd', { class: 'code' }, data.sha256),
        ),
      ),
      el('div', { class: 'charts' }, ...curves(training)),
      el(
        'details',
        {},
        el('summary', {}, 'All settings of the training'),
        table(
          'Settings of the training, defaults included',
          [
            { name: 'Option', of: ([name]) => name, text: true },
            { name: 'Value', of: ([, value]) => short(value), text: true },
          ],
          Object.entries(options),
          { first: 100 },
        ),
      ),
    );
  } else {
    parts.push(note('The model file is of an earlier version: it does not tell how the model was trained.'));
    if (training.curve.length > 0) parts.push(el('div', { class: 'charts' }, ...curves(training)));
  }
  parts.push(note(`This report was written by recurra ${version}.`));
  return section('training', 'How it was trained', ...parts);
}
