// Labels a text as it is typed. One text takes a fraction of a millisecond, so no worker is needed.

import { load } from './recurra-web/index.js';

const text = document.querySelector('#text');
const state = document.querySelector('#state');
const list = document.querySelector('#labels');

/** A row of the list: label, bar, share. Text is set as text: a label may be anything. */
function row({ label, probability }) {
  const item = document.createElement('li');
  const name = document.createElement('span');
  const bar = document.createElement('meter');
  const share = document.createElement('output');
  name.textContent = label;
  bar.value = probability;
  share.textContent = `${(100 * probability).toFixed(1)} %`;
  item.append(name, bar, share);
  return item;
}

try {
  const model = await load('model.safetensors');
  const show = () => {
    const begun = performance.now();
    const prediction = model.predict(text.value, { topK: 5 });
    const took = performance.now() - begun;
    list.replaceChildren(...(prediction.tokens > 0 ? prediction.classes.map(row) : []));
    const { knownTokens, tokens } = prediction;
    state.textContent = `${knownTokens} of ${tokens} words are known to the model; ${took.toFixed(2)} ms`;
  };
  text.addEventListener('input', show);
  text.disabled = false;
  text.focus();
  show();
} catch (error) {
  state.textContent = error.message;
}
