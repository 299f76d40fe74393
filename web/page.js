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
    const { predictions } = await ask('predict/many', { texts, topK: top.valueAsNumber });
    answers.replaceChildren(...predictions.map((prediction, index) => answer(texts[index], prediction)));
    done.textContent = predictions.length === 1 ? `${predictions[0].label}.` : `${predictions.length} texts labelled.`;
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
  const { labels, words, cell, limits } = await (await fetch('model')).json();
  top.max = labels.length;
  if (top.valueAsNumber > labels.length) top.value = labels.length;
  text.maxLength = limits.textLength;
  $('about').textContent =
    `${labels.length} labels, ${words.toLocaleString('en')} words, ${cell.toUpperCase()}. Labels: ${labels.slice(0, 20).join(', ')}` +
    (labels.length > 20 ? ', …' : '.');
} catch (error) {
  failure.textContent = `The server does not answer: ${error.message}`;
}
