// The page of a classifier: labels with their probabilities, and which parts of the text speak for them.

import { caution } from './caution.js';
import {
  checkbox,
  count,
  el,
  firstOf,
  knownText,
  linesOf,
  note,
  numberField,
  percent,
  plural,
  quoted,
  renew,
  shareCells,
  styled,
  table,
} from './dom.js';
import { askJson, Refused } from './server.js';

/** Code units of a text that are coloured at most. */
const COLOURED = 20_000;
/** Below this share of the strongest contribution nothing is coloured. */
const WEAKEST = 0.02;
const HEAT = 70;
/** Milliseconds after which a label is shown without what speaks for it. */
const PATIENCE = 300;

/** A text whose tokens are coloured by what they contribute; n-grams come again as their tokens. */
function coloured(text, { tokens }, byLinear) {
  const parts = [];
  let end = 0;
  for (const token of tokens) {
    if (token.start === undefined || token.start < end) continue;
    parts.push({ ...token, value: byLinear ? (token.linear ?? 0) : token.contribution });
    end = token.end;
  }
  const largest = parts.reduce((most, { value }) => Math.max(most, Math.abs(value)), 0);
  const quote = el('blockquote', { dir: 'auto' });
  let at = 0;
  for (const { start, end: behind, value, known } of parts) {
    const share = largest === 0 ? 0 : value / largest;
    quote.append(text.slice(at, start));
    const strong = Math.abs(share) >= WEAKEST;
    const kind = [strong && (share > 0 ? 'for' : 'against'), !known && 'unknown'].filter(Boolean).join(' ');
    const title = `${value > 0 ? '+' : ''}${value.toFixed(3)}${known ? '' : ', a word that the model does not know'}`;
    const part = el('span', { class: kind || undefined, title }, text.slice(start, behind));
    quote.append(styled(part, { '--heat': `${Math.round(HEAT * Math.abs(share))}%` }));
    at = behind;
  }
  quote.append(text.slice(at));
  return quote;
}

/** What the colours mean. */
function key(label, networkShare) {
  const byLinear = networkShare < 0.5;
  const share = Math.round(100 * (byLinear ? 1 - networkShare : networkShare));
  return note(
    'Parts of the text that speak ',
    el('span', { class: 'for key' }, 'for'),
    ' and ',
    el('span', { class: 'against key' }, 'against'),
    ' ',
    el('b', {}, label),
    share === 100 ? '.' : `, by the ${byLinear ? 'linear model' : 'network'}, which is ${share} % of the answer.`,
  );
}

/** Makes the page ready for a classifier. `changed` is called when the answer is to be another. */
export function classifier(model, controls, changed) {
  const { labels, words, cell, multiLabel, networkShare } = model;
  const careful = caution(model);
  const [lines, linesField] = checkbox('lines', 'Each line is a text');
  const most = Math.min(5, labels.length);
  const [top, topField] = numberField('top', 'Labels to show', {
    min: 1,
    max: labels.length,
    value: most,
    required: true,
  });
  for (const control of [lines, top, ...careful.inputs]) control.addEventListener('input', changed);
  controls.append(...careful.parts, el('div', { class: 'row' }, topField, linesField, ...careful.boxes));

  const byLinear = networkShare < 0.5;
  const options = () => ({ topK: top.valueAsNumber, ...careful.options() });
  /** The label whose contributions are shown; null for the most probable one. */
  let chosen = null;
  let chosenFor = '';

  /** Whether a text is one that the model was made for, if that was asked. */
  const scoped = (outOfScope, out, within) => (outOfScope === undefined ? '' : outOfScope ? out : within);

  /** The labels of a text, or what stands for none. */
  function named({ label, labels: given }) {
    if (multiLabel) return given.join(', ') || 'No label';
    return label ?? 'Unsure';
  }

  const isUnsure = ({ label, labels: given }) => (multiLabel ? given.length === 0 : label === null);

  /** What the answer is, in a few words. */
  function verdict(prediction) {
    const { probability, outOfScope } = prediction;
    const shown = multiLabel || isUnsure(prediction) ? '' : `, ${percent(probability)}`;
    return `${named(prediction)}${shown}${scoped(outOfScope, ', out of scope', ', in scope')}`;
  }

  function headline(prediction, asked) {
    const { probability, classes } = prediction;
    const unsure = isUnsure(prediction);
    const name = el('p', { class: unsure ? 'verdict unsure' : 'verdict' }, named(prediction));
    if (!multiLabel && !unsure) name.append(el('small', {}, ` ${percent(probability)}`));
    if (multiLabel || !unsure) return name;
    const best = `${classes[0].label} with ${percent(probability)} is most probable, but below ${careful.limitOf(asked)}.`;
    return el('div', {}, name, note(best));
  }

  function scopeNote({ outOfScope }) {
    const said = scoped(
      outOfScope,
      'Out of scope: this text is unlike those of the training.',
      'In scope: this text is like those of the training.',
    );
    return el('p', { class: outOfScope ? 'note unsure' : 'note' }, said);
  }

  function bars({ classes, labels: given }, least, explained, choose) {
    const rows = classes.map(({ label, probability }) => {
      const pressed = String(label === explained);
      const name = el(
        'button',
        {
          type: 'button',
          class: 'plain',
          'aria-pressed': pressed,
          title: 'Show what speaks for this label',
          on: { click: () => choose(label) },
        },
        label,
      );
      const cells = shareCells(probability);
      const bar = cells[1].firstChild;
      bar.classList.toggle('weak', !given.includes(label));
      bar.classList.toggle('limited', least > 0);
      styled(bar, { '--least': `${100 * least}%` });
      return el('tr', {}, el('th', { scope: 'row' }, name), ...cells);
    });
    return table('The most probable labels', ['Label', 'Probability', ''], rows);
  }

  function known({ tokens, knownTokens }) {
    const nothing = knownTokens === 0 ? ' The labels say nothing about this text.' : '';
    return note(knownText(knownTokens, tokens, 'token'), nothing);
  }

  /** What speaks for a label of a text, or why that is not shown. */
  async function explanationOf(text, signal) {
    if (text.length > COLOURED) return { why: `A text of more than ${count(COLOURED)} characters is not coloured.` };
    if (text.trim() === '') return {};
    const label = chosenFor === text && chosen !== null ? chosen : undefined;
    // The linear part is the same with any method, and this one is faster.
    const method = byLinear ? 'gradientInput' : 'occlusion';
    try {
      return { explanation: await askJson('explain', { text, method, ...(label !== undefined && { label }) }, signal) };
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return { why: `Not coloured: ${error.message}` };
    }
  }

  /** One text: the label, what speaks for it, and the most probable ones. */
  async function one(text, prediction, asked, { signal, answers, again }) {
    const show = ({ explanation, why }) => {
      const choose = (label) => {
        [chosen, chosenFor] = [label, text];
        again(text);
      };
      const read = explanation
        ? [coloured(text, explanation, byLinear), key(explanation.label, networkShare)]
        : [quoted(text), why && note(why)];
      const parts = [
        // What makes the label worthless comes before it.
        prediction.knownTokens === 0 && known(prediction),
        headline(prediction, asked),
        prediction.outOfScope !== undefined && scopeNote(prediction),
        ...read,
        bars(prediction, careful.leastOf(asked), explanation?.label, choose),
        prediction.knownTokens > 0 && known(prediction),
      ];
      renew(answers, [el('article', {}, ...parts.filter(Boolean))]);
    };
    // A long text is explained in a second or two; its label is there at once.
    const early = setTimeout(() => {
      if (!signal.aborted) show({ why: 'What speaks for the label is being computed.' });
    }, PATIENCE);
    try {
      show(await explanationOf(text, signal));
    } finally {
      clearTimeout(early);
    }
  }

  function many(texts, predictions, answers) {
    const remark = (said, unsure) => el('small', { class: unsure ? 'unsure' : undefined }, said);
    const rows = predictions.map((prediction, at) => {
      const { probability, knownTokens, outOfScope } = prediction;
      return el(
        'tr',
        {},
        el('th', { scope: 'row', dir: 'auto' }, texts[at]),
        el(
          'td',
          {},
          el('span', { class: isUnsure(prediction) && 'unsure' }, named(prediction)),
          outOfScope === undefined ? null : remark(scoped(outOfScope, 'out of scope', 'in scope'), outOfScope),
          knownTokens === 0 ? remark('no known token', true) : null,
        ),
        el('td', { class: 'number' }, percent(probability)),
      );
    });
    const names = ['Text', 'Label', 'Probability'];
    renew(answers, [el('article', {}, table('Each line and its label', names, rows, { class: 'many' }))]);
  }

  /** What became of several texts, in a few words. */
  function saidOf(predictions) {
    const labelled = predictions.filter((prediction) => !isUnsure(prediction)).length;
    const of = labelled < predictions.length ? `${count(labelled)} of ` : '';
    const out = predictions.filter(({ outOfScope }) => outOfScope).length;
    return `${of}${plural(predictions.length, 'text')} labelled${out > 0 ? `, ${count(out)} out of scope` : ''}.`;
  }

  const inside = networkShare === 0 ? 'a linear model of n-grams' : `${cell.toUpperCase()}, ${count(words)} words`;
  return {
    facts: `A text classifier of ${plural(labels.length, 'label')}${multiLabel ? ', of which a text may have several' : ''}: ${inside}. Labels: ${firstOf(labels)}`,
    button: 'Label',
    live: 'Answer as I type',
    empty: 'Type a text: its label appears here, and which parts of the text speak for it.',
    request(text) {
      return lines.checked
        ? ['predict/many', { texts: linesOf(text), ...options() }]
        : ['predict', { text, ...options() }];
    },
    async answer(text, how) {
      const [path, asked] = this.request(text);
      const answer = await askJson(path, asked, how.signal);
      // What was asked, not what the controls say by now.
      if (asked.texts) {
        many(asked.texts, answer.predictions, how.answers);
        const said = saidOf(answer.predictions);
        return { said, kept: said };
      }
      await one(text, answer, asked, how);
      return { said: `${verdict(answer)}.`, kept: verdict(answer) };
    },
  };
}
