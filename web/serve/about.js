// What the model is and how it did.

import { $, el, percent, plural } from './dom.js';

/** Measures that people know, with their names and how they are written. */
const MEASURES = {
  accuracy: ['Accuracy', percent],
  f1: ['F1 of spans', percent],
  perplexity: ['Perplexity', (value) => value.toFixed(2)],
  bitsPerCharacter: ['Bits per character', (value) => value.toFixed(3)],
  unitErrorRate: ['Unit error rate', percent],
  bleu: ['BLEU', (value) => value.toFixed(1)],
};

const tile = (name, value, small) =>
  el('div', { class: 'tile' }, el('dt', {}, name), el('dd', {}, value, small ? el('small', {}, small) : null));

/** Shows what a model is called, what it is, and its measures. */
export function showAbout({ name, kind, training }, facts) {
  if (name !== null) {
    $('name').textContent = name;
    document.title = `${name} · Try the model`;
  }
  $('facts').textContent = facts;
  if (training === null) return;
  const { rows, validationRows, epochs, measures } = training;
  // The rows of a language model are windows and units of its text, which say little to people.
  const ofText = kind === 'language';
  const where = ofText ? 'on the validation text' : `on ${plural(validationRows, 'validation row')}`;
  const tiles = Object.entries(MEASURES)
    .filter(([measure]) => typeof measures[measure] === 'number')
    // BLEU counts runs of four words: where some answers are right and it is 0, they are all shorter, and it says nothing.
    .filter(([measure]) => measure !== 'bleu' || measures.bleu > 0 || !(measures.accuracy > 0))
    .map(([measure, [title, written]]) => tile(title, written(measures[measure]), where));
  const trained = ofText
    ? tile('Trained for', plural(epochs, 'epoch'))
    : tile('Trained on', plural(rows, 'row'), epochs > 0 && plural(epochs, 'epoch'));
  $('measures').replaceChildren(...tiles, trained);
  $('measures').hidden = false;
}
