// The page of a model that labels texts: a classifier or a tagger.

import { $, ask, element } from './dom.js';

/** What the server's model is. */
let [tagger, names, scheme] = [false, [], null];

const percent = (share) => `${(100 * share).toFixed(1)} %`;

/** One text and its labels. */
function labelled(asked, { classes, tokens, knownTokens }) {
  const article = element('article');
  article.append(element('blockquote', asked === '' ? '(empty)' : asked));
  const table = element('table');
  const head = element('tr');
  head.append(
    ...['Label', 'Probability', ''].map((name) => element(name ? 'th' : 'td', name, name ? { scope: 'col' } : {})),
  );
  table.append(head);
  for (const { label, probability } of classes) {
    const row = element('tr');
    const bar = element('td');
    bar.append(element('meter', '', { value: probability, max: 1, 'aria-hidden': 'true' }));
    row.append(element('th', label, { scope: 'row' }), element('td', percent(probability), { class: 'share' }), bar);
    table.append(row);
  }
  const known = `${knownTokens} of ${tokens} tokens are known to the model.`;
  const nothing = knownTokens === 0 ? ' The labels say nothing about this text.' : '';
  article.append(table, element('p', known + nothing, { class: 'note' }));
  return article;
}

/** A text with its spans marked, the label of each above it; a click or a hover tells how probable it is. */
function marked(asked, { spans, tokens, tags, knownTokens }) {
  const article = element('article');
  const quote = element('blockquote', asked === '' ? '(empty)' : '', { class: 'marked' });
  let at = 0;
  for (const { start, end, label, text: part, probability } of spans) {
    const mark = element('mark', '', { title: `${label}: ${percent(probability)}` });
    mark.style.setProperty('--hue', hueOf(label));
    mark.append(element('span', label, { class: 'label' }), element('span', part, { class: 'part' }));
    quote.append(asked.slice(at, start), mark);
    at = end;
  }
  quote.append(asked.slice(at));
  article.append(quote);
  if (scheme === null) {
    const row = element('p', '', { class: 'tags' });
    for (const [i, token] of tokens.entries()) {
      const mark = element('mark');
      mark.style.setProperty('--hue', hueOf(tags[i]));
      mark.append(element('span', tags[i], { class: 'label' }), element('span', token, { class: 'part' }));
      row.append(mark, ' ');
    }
    article.append(row);
  } else {
    const list = element('ul', '', { 'aria-label': 'Spans' });
    for (const { label, text: part, probability } of spans)
      list.append(element('li', `${part}: ${label}, ${percent(probability)}`));
    article.append(list);
  }
  article.append(element('p', `${knownTokens} of ${tokens.length} tokens are known to the model.`, { class: 'note' }));
  return article;
}

/** A colour for each label, the same each time. */
function hueOf(label) {
  const place = names.indexOf(label);
  return String(Math.round((360 * Math.max(place, 0)) / Math.max(names.length, 1)));
}

/** Makes the page ready for a model; returns what is said about it. */
export function begin({ kind, labels, words, cell, scheme: found = null }) {
  [tagger, names, scheme] = [kind === 'tagger', labels, found];
  const top = $('top');
  $('top-row').hidden = tagger;
  top.max = labels.length;
  if (top.valueAsNumber > labels.length) top.value = labels.length;
  $('labelling').disabled = $('labelling').hidden = false;
  return (
    `${labels.length} labels, ${words.toLocaleString('en')} words, ${cell.toUpperCase()}. Labels: ${labels.slice(0, 20).join(', ')}` +
    (labels.length > 20 ? ', …' : '.')
  );
}

/** Labels a text; returns what is said when it is done. */
export async function answer(text, answers) {
  const texts = $('lines').checked ? text.split('\n').filter((line) => line.trim() !== '') : [text];
  const body = tagger ? { texts } : { texts, topK: $('top').valueAsNumber };
  const { predictions } = await (await ask('predict/many', body)).json();
  const show = tagger ? marked : labelled;
  answers.replaceChildren(...predictions.map((prediction, index) => show(texts[index], prediction)));
  const [{ label, spans }] = predictions;
  const one = tagger ? `${spans.length} ${spans.length === 1 ? 'span' : 'spans'}.` : `${label}.`;
  return predictions.length === 1 ? one : `${predictions.length} texts labelled.`;
}
