// The page of a classifier: labels with their probabilities, and which parts of the text speak for them.

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
export function classifier({ labels, words, cell, multiLabel, networkShare }, controls, changed) {
  const [lines, linesField] = checkbox('lines', 'Each line is a text');
  const most = Math.min(5, labels.length);
  const [top, topField] = numberField('top', 'Labels to show', {
    min: 1,
    max: labels.length,
    value: most,
    required: true,
  });
  const least = el('input', {
    type: 'range',
    id: 'least',
    min: 0,
    max: 100,
    value: 0,
    'aria-describedby': 'least-note',
  });
  const shown = el('output', { for: 'least' });
  const showLeast = () => {
    shown.textContent = `${least.value} %`;
    least.setAttribute('aria-valuetext', `${least.value} percent`);
  };
  showLeast();
  least.addEventListener('input', showLeast);
  for (const control of [lines, top, least]) control.addEventListener('input', changed);
  controls.append(
    el('div', { class: 'field wide' }, el('label', { for: 'least' }, 'Unsure below'), least, shown),
    el('p', { class: 'aside', id: 'least-note' }, 'A label that is less probable is not given.'),
    el('div', { class: 'row' }, topField, linesField),
  );

  const byLinear = networkShare < 0.5;
  const minimum = () => least.valueAsNumber / 100;
  const options = () => ({ topK: top.valueAsNumber, ...(minimum() > 0 && { minProbability: minimum() }) });
  /** The label whose contributions are shown; null for the most probable one. */
  let chosen = null;
  let chosenFor = '';

  /** What the answer is, in a few words. */
  function verdict({ label, labels: given, probability }) {
    if (multiLabel) return given.length > 0 ? given.join(', ') : 'No label';
    return label === null ? `Unsure` : `${label}, ${percent(probability)}`;
  }

  function headline(prediction) {
    const { label, labels: given, probability, classes } = prediction;
    if (multiLabel)
      return el('p', { class: given.length > 0 ? 'verdict' : 'verdict unsure' }, given.join(', ') || 'No label');
    if (label !== null) return el('p', { class: 'verdict' }, label, el('small', {}, ` ${percent(probability)}`));
    const best = `${classes[0].label} with ${percent(probability)} is most probable, but below ${Math.round(100 * minimum())} %.`;
    return el('div', {}, el('p', { class: 'verdict unsure' }, 'Unsure'), note(best));
  }

  function bars({ classes, labels: given }, explained, choose) {
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
      bar.classList.toggle('limited', minimum() > 0);
      styled(bar, { '--least': `${100 * minimum()}%` });
      return el('tr', {}, el('th', { scope: 'row' }, name), ...cells);
    });
    return table('The most probable labels', ['Label', 'Probability', ''], rows);
  }

  function known({ tokens, knownTokens }) {
    const nothing = knownTokens === 0 ? ' The labels say nothing about this text.' : '';
    return note(knownText(knownTokens, tokens, 'token'), nothing);
  }

  /** One text: the label, what speaks for it, and the most probable ones. */
  async function one(text, prediction, { signal, answers, again }) {
    const article = el('article');
    const show = (explanation, why) => {
      const choose = (label) => {
        [chosen, chosenFor] = [label, text];
        again();
      };
      const explained = explanation?.label;
      const read = explanation
        ? [coloured(text, explanation, byLinear), key(explanation.label, networkShare)]
        : [quoted(text), why && note(why)];
      article.replaceChildren(
        ...[
          // What makes the label worthless comes before it.
          prediction.knownTokens === 0 && known(prediction),
          headline(prediction),
          ...read,
          bars(prediction, explained, choose),
          prediction.knownTokens > 0 && known(prediction),
        ].filter(Boolean),
      );
    };
    /** The button of the label that had the focus, which is made again. */
    const focused = answers.contains(document.activeElement) ? document.activeElement.textContent : null;
    const label = chosenFor === text && chosen !== null ? chosen : undefined;
    let explanation;
    let why;
    if (text.length > COLOURED) why = `A text of more than ${count(COLOURED)} characters is not coloured.`;
    else if (text.trim() !== '') {
      try {
        // The linear part is the same with any method, and this one is faster.
        const method = byLinear ? 'gradientInput' : 'occlusion';
        explanation = await askJson('explain', { text, method, ...(label !== undefined && { label }) }, signal);
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        why = `Not coloured: ${error.message}`;
      }
    }
    show(explanation, why);
    answers.replaceChildren(article);
    if (focused !== null)
      [...article.querySelectorAll('th button')].find((each) => each.textContent === focused)?.focus();
  }

  function many(texts, predictions, answers) {
    const rows = predictions.map((prediction, at) => {
      const { label, labels: given, probability } = prediction;
      const unsure = multiLabel ? given.length === 0 : label === null;
      return el(
        'tr',
        {},
        el('th', { scope: 'row', dir: 'auto' }, texts[at]),
        el(
          'td',
          { class: unsure ? 'unsure' : undefined },
          multiLabel ? given.join(', ') || 'No label' : (label ?? 'Unsure'),
        ),
        el('td', { class: 'number' }, percent(probability)),
      );
    });
    const labelled = table('Each line and its label', ['Text', 'Label', 'Probability'], rows, { class: 'many' });
    answers.replaceChildren(el('article', {}, labelled));
  }

  const inside = networkShare === 0 ? 'a linear model of n-grams' : `${cell.toUpperCase()}, ${count(words)} words`;
  return {
    facts: `A text classifier of ${plural(labels.length, 'label')}${multiLabel ? ', any number of them a text' : ''}: ${inside}. ${firstOf(labels)}`,
    button: 'Label',
    live: 'Answer as I type',
    empty: 'Type a text: its label appears here, and which parts of the text speak for it.',
    request(text) {
      return lines.checked
        ? ['predict/many', { texts: linesOf(text), ...options() }]
        : ['predict', { text, ...options() }];
    },
    async answer(text, how) {
      const [path, body] = this.request(text);
      const answer = await askJson(path, body, how.signal);
      if (lines.checked) {
        many(body.texts, answer.predictions, how.answers);
        const said = `${plural(body.texts.length, 'text')} labelled.`;
        return { said, kept: said };
      }
      await one(text, answer, how);
      return { said: `${verdict(answer)}.`, kept: verdict(answer) };
    },
  };
}
