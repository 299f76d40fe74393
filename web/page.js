// The page for trying texts by hand.

import { $ } from './dom.js';
import * as labels from './labels.js';
import * as sequences from './sequences.js';
import * as writing from './writing.js';

const [form, text, send, failure, done, answers] = ['form', 'text', 'send', 'failure', 'done', 'answers'].map($);

/** What answers: set when the server has said what its model is. */
let kind = labels;

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  failure.textContent = '';
  done.textContent = 'Asking…';
  send.disabled = true;
  try {
    done.textContent = await kind.answer(text.value, answers);
  } catch (error) {
    if (kind !== writing) answers.replaceChildren();
    done.textContent = '';
    failure.textContent = error.message;
  } finally {
    send.disabled = false;
  }
});

text.addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && !send.disabled) form.requestSubmit();
});

try {
  const model = await (await fetch('model')).json();
  kind = { language: writing, seq2seq: sequences }[model.kind] ?? labels;
  text.maxLength = model.limits.textLength;
  $('about').textContent = kind.begin(model);
} catch (error) {
  failure.textContent = `The server does not answer: ${error.message}`;
}
