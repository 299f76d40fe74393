// The page of a model that writes one text for another, with what it looked at.

import {
  checkbox,
  count,
  el,
  knownText,
  linesOf,
  note,
  numberField,
  plural,
  renew,
  shareCells,
  styled,
  table,
} from './dom.js';
import { askJson } from './server.js';

/** Cells of a table of alignments that are shown at most. */
const MOST_CELLS = 4_000;
/** Characters of a source from which on alignments are not asked for. */
const LONGEST_ALIGNED = 1_000;

/** Makes the page ready for a model of pairs. `changed` is called when the answer is to be another. */
export function pairs({ units, words, targetWords, cell }, controls, changed) {
  const [lines, linesField] = checkbox('lines', 'Each line is a text');
  const [beam, beamField] = numberField('beam', 'Beam', { min: 1, max: 32, value: 5, required: true });
  const [best, bestField] = numberField('best', 'Answers to show', { min: 1, max: 32, value: 3, required: true });
  for (const control of [lines, beam, best]) control.addEventListener('input', changed);
  controls.append(el('div', { class: 'row' }, beamField, bestField, linesField));

  /** How much each source unit counted for each unit of an answer: the darker, the more. */
  function alignment(sourceUnits, { units: written, alignments }) {
    const head = [el('td'), ...sourceUnits.map((unit) => el('th', { scope: 'col' }, unit))];
    const rows = written.map((unit, i) => {
      const cells = alignments[i].map((weight, j) => {
        const share = Math.round(100 * weight);
        const title = `${unit} from ${sourceUnits[j]}: ${share} %`;
        const cell = el('td', { title }, share >= 10 ? String(share) : el('span', { class: 'aside' }, String(share)));
        return styled(cell, { '--weight': weight.toFixed(3) });
      });
      return el('tr', {}, el('th', { scope: 'row' }, unit), ...cells);
    });
    const caption = el('caption', {}, 'What each unit of the answer looked at, in percent');
    const aligned = el(
      'table',
      { class: 'alignment' },
      caption,
      el('thead', {}, el('tr', {}, ...head)),
      el('tbody', {}, ...rows),
    );
    return el('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Alignment' }, aligned);
  }

  function candidateTable(candidates) {
    const rows = candidates.map(({ text, score }) =>
      el('tr', {}, el('th', { scope: 'row', dir: 'auto' }, text || '(empty)'), ...shareCells(Math.exp(score))),
    );
    return table('The best answers', ['Answer', 'Probability', ''], rows);
  }

  function one({ text, sourceUnits, knownUnits, candidates }) {
    const [{ alignments, units: written }] = candidates;
    const cells = written.length * sourceUnits.length;
    const known = note(knownText(knownUnits, sourceUnits.length, 'unit'));
    // What makes the answer worthless comes before it.
    const [before, behind] = knownUnits === 0 ? [known, null] : [null, known];
    return el(
      'article',
      {},
      before,
      el('p', { class: 'verdict', dir: 'auto' }, text || '(empty)'),
      candidateTable(candidates),
      alignments && cells > 0 && cells <= MOST_CELLS ? alignment(sourceUnits, candidates[0]) : null,
      behind,
    );
  }

  function many(texts, predictions) {
    const rows = predictions.map(({ text, knownUnits }, at) => {
      const nothing = knownUnits === 0 ? el('small', { class: 'unsure' }, 'no known unit') : null;
      return el(
        'tr',
        {},
        el('th', { scope: 'row', dir: 'auto' }, texts[at]),
        el('td', { dir: 'auto' }, text || '(empty)', nothing),
      );
    });
    return el('article', {}, table('Each line and its answer', ['Source', 'Answer'], rows, { class: 'many' }));
  }

  return {
    facts: `A sequence-to-sequence model: ${cell.toUpperCase()}. It reads ${count(words)} different ${units.source} and writes ${count(targetWords)} different ${units.target}.`,
    label: 'Source',
    button: 'Write',
    live: 'Answer as I type',
    empty: 'Type a source: what belongs to it appears here, and what the model looked at.',
    request(text) {
      const width = beam.valueAsNumber;
      const search = { beamSize: width, nBest: Math.min(width, best.valueAsNumber) };
      if (lines.checked) return ['predict/many', { texts: linesOf(text), beamSize: width }];
      return ['predict', { text, ...search, ...(text.length <= LONGEST_ALIGNED && { alignments: true }) }];
    },
    async answer(text, { signal, answers }) {
      const [path, asked] = this.request(text);
      const answer = await askJson(path, asked, signal);
      // What was asked, not what the box says by now.
      if (!asked.texts) {
        renew(answers, [one(answer)]);
        return { said: answer.text || '(empty)', kept: answer.text || '(empty)' };
      }
      renew(answers, [many(asked.texts, answer.predictions)]);
      const said = `${plural(asked.texts.length, 'text')} written.`;
      return { said, kept: said };
    },
  };
}
