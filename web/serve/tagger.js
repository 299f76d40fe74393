// The page of a tagger: the spans of a text, marked.

import {
  checkbox,
  count,
  el,
  firstOf,
  knownText,
  linesOf,
  note,
  percent,
  plural,
  quoted,
  renew,
  shareCells,
  styled,
  table,
} from './dom.js';
import { askJson } from './server.js';

/** Rows of a table of tags at most. */
const MOST_ROWS = 200;

/** Makes the page ready for a tagger. `changed` is called when the answer is to be another. */
export function tagger({ labels, words, cell, scheme }, controls, changed) {
  const [lines, linesField] = checkbox('lines', 'Each line is a text');
  lines.addEventListener('input', changed);
  controls.append(el('div', { class: 'row' }, linesField));

  /** A colour for each label, the same each time. */
  const hueOf = (label) =>
    Math.round((360 * Math.max(labels.indexOf(label), 0)) / Math.max(labels.length, 1) + 210) % 360;

  function marked(label, text, probability) {
    const title = probability === undefined ? label : `${label}: ${percent(probability)}`;
    const parts = [el('span', { class: 'label' }, label), el('span', { class: 'part' }, text)];
    return styled(el('mark', { title }, ...parts), { '--hue': hueOf(label) });
  }

  /** A text with its spans marked, the label of each above it. */
  function inText(asked, { spans }) {
    if (asked === '') return quoted(asked);
    const parts = [];
    let at = 0;
    for (const { start, end, label, text, probability } of spans) {
      parts.push(asked.slice(at, start), marked(label, text, probability));
      at = end;
    }
    const quote = quoted(asked, ...parts, asked.slice(at));
    quote.classList.add('marked');
    return quote;
  }

  /** The tags of a model without a scheme, which has no spans. */
  function inTokens({ tokens, tags, probabilities }) {
    const row = el('p', { class: 'marked', dir: 'auto' });
    for (const [i, token] of tokens.entries()) row.append(marked(tags[i], token, probabilities[i]), ' ');
    return row;
  }

  function spanTable({ spans }) {
    const rows = spans.map(({ label, text, probability }) =>
      el('tr', {}, el('th', { scope: 'row', dir: 'auto' }, text), el('td', {}, label), ...shareCells(probability)),
    );
    return table('Spans', ['Span', 'Label', 'Probability', ''], rows);
  }

  /** The tags of a text, each with its probability. */
  function tagTable({ tokens, tags, probabilities }) {
    const rows = tokens
      .slice(0, MOST_ROWS)
      .map((token, i) =>
        el(
          'tr',
          {},
          el('th', { scope: 'row', dir: 'auto' }, token),
          el('td', {}, tags[i]),
          ...shareCells(probabilities[i]),
        ),
      );
    const tagsTable = table('Tags', ['Token', 'Tag', 'Probability', ''], rows);
    if (tokens.length <= MOST_ROWS) return [tagsTable];
    return [tagsTable, note(`The first ${count(MOST_ROWS)} of ${count(tokens.length)} tokens.`)];
  }

  function tagged(asked, answer, whole) {
    const { spans, tokens, knownTokens } = answer;
    const article = el('article', {}, scheme === null ? inTokens(answer) : inText(asked, answer));
    if (!whole) {
      if (knownTokens === 0) article.append(el('p', { class: 'note unsure' }, 'No token is known to the model.'));
      return article;
    }
    const known = note(knownText(knownTokens, tokens.length, 'token'));
    // What makes the tags doubtful comes before them.
    if (knownTokens === 0) article.prepend(known);
    if (scheme === null) article.append(...(tokens.length > 0 ? tagTable(answer) : []));
    else article.append(spans.length > 0 ? spanTable(answer) : note('No span was found.'));
    if (knownTokens > 0) article.append(known);
    return article;
  }

  return {
    facts: `A tagger of ${plural(labels.length, 'label')}: ${cell.toUpperCase()}, ${count(words)} words. Labels: ${firstOf(labels)}`,
    button: 'Tag',
    live: 'Answer as I type',
    empty: 'Type a text: what the model finds in it is marked here.',
    request(text) {
      return lines.checked ? ['predict/many', { texts: linesOf(text) }] : ['predict', { text }];
    },
    async answer(text, { signal, answers }) {
      const [path, asked] = this.request(text);
      const answer = await askJson(path, asked, signal);
      // What was asked, not what the box says by now.
      const several = asked.texts !== undefined;
      const [texts, taggings] = several ? [asked.texts, answer.predictions] : [[text], [answer]];
      renew(
        answers,
        taggings.map((tagging, at) => tagged(texts[at], tagging, !several)),
      );
      if (several) return { said: `${plural(texts.length, 'text')} tagged.`, kept: plural(texts.length, 'text') };
      const found = scheme === null ? plural(answer.tokens.length, 'token') : plural(answer.spans.length, 'span');
      const names = answer.spans.map(({ text: part, label }) => `${part}: ${label}`);
      return { said: `${found}${names.length > 0 ? `: ${names.join(', ')}` : ''}.`, kept: names.join(', ') || found };
    },
  };
}
