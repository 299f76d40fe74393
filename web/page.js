// The page for trying texts by hand. Whatever comes from a text or from the model is set as text, never as HTML.

const $ = (id) => document.getElementById(id);
const [form, text, lines, top, send, failure, done, answers] = [
  'form',
  'text',
  'lines',
  'top',
  'send',
  'failure',
  'done',
  'answers',
].map($);

/** What the server's model is: set when it has answered. */
let [tagger, names, scheme] = [false, [], null];

function element(name, content = '', attributes = {}) {
  const node = document.createElement(name);
  node.textContent = content;
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
}

const percent = (share) => `${(100 * share).toFixed(1)} %`;

/** One text and its labels. */
function answer(asked, { classes, tokens, knownTokens }) {
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

async function ask(path, body) {
  const response = await fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const result = await response.json();
  if (!response.ok) throw new Error(`${result.error.message} (${result.error.code})`);
  return result;
}

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  failure.textContent = '';
  done.textContent = 'Asking…';
  send.disabled = true;
  try {
    const texts = lines.checked ? text.value.split('\n').filter((line) => line.trim() !== '') : [text.value];
    const { predictions } = await ask('predict/many', tagger ? { texts } : { texts, topK: top.valueAsNumber });
    const show = tagger ? marked : answer;
    answers.replaceChildren(...predictions.map((prediction, index) => show(texts[index], prediction)));
    const [{ label, spans }] = predictions;
    const one = tagger ? `${spans.length} ${spans.length === 1 ? 'span' : 'spans'}.` : `${label}.`;
    done.textContent = predictions.length === 1 ? one : `${predictions.length} texts labelled.`;
  } catch (error) {
    answers.replaceChildren();
    done.textContent = '';
    failure.textContent = error.message;
  } finally {
    send.disabled = false;
  }
});

text.addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form.requestSubmit();
});

try {
  const { kind, labels, words, cell, limits, scheme: found = null } = await (await fetch('model')).json();
  tagger = kind === 'tagger';
  names = labels;
  scheme = found;
  $('top-row').hidden = tagger;
  top.max = labels.length;
  if (top.valueAsNumber > labels.length) top.value = labels.length;
  text.maxLength = limits.textLength;
  $('about').textContent =
    `${labels.length} labels, ${words.toLocaleString('en')} words, ${cell.toUpperCase()}. Labels: ${labels.slice(0, 20).join(', ')}` +
    (labels.length > 20 ? ', …' : '.');
} catch (error) {
  failure.textContent = `The server does not answer: ${error.message}`;
}
