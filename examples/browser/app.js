// Answers as one types. A text takes a fraction of a millisecond, so no worker is needed; what is written comes piece by piece.

import { load } from '../index.js';

const choice = document.querySelector('#model');
const file = document.querySelector('#file');
const text = document.querySelector('#text');
const state = document.querySelector('#state');
const answer = document.querySelector('#answer');

/** An element with a class and contents. Text is set as text: a label may be anything. */
function element(name, className, ...contents) {
  const made = document.createElement(name);
  made.className = className;
  made.append(...contents);
  return made;
}

const percent = (probability) => `${(100 * probability).toFixed(1)} %`;

/** A row of the list: label, bar, share. */
function row({ label, probability }) {
  const bar = element('meter', '');
  bar.value = probability;
  return element('li', '', element('span', '', label), bar, element('output', '', percent(probability)));
}

/** Labels the text. */
function classify(model) {
  const { classes, knownTokens, tokens } = model.predict(text.value, { topK: 5 });
  answer.replaceChildren(element('ol', '', ...(tokens > 0 ? classes.map(row) : [])));
  return `${knownTokens} of ${tokens} words are known to the model`;
}

/** Marks the spans of the text. */
function tag(model) {
  const { spans } = model.predict(text.value);
  const parts = [];
  let at = 0;
  for (const span of spans) {
    const label = element('span', 'label', `${span.label} ${percent(span.probability)}`);
    parts.push(text.value.slice(at, span.start), element('mark', '', element('span', 'part', span.text), label));
    at = span.end;
  }
  answer.replaceChildren(element('p', 'marked', ...parts, text.value.slice(at)));
  return `${spans.length} ${spans.length === 1 ? 'name' : 'names'}`;
}

let writing = new AbortController();

/** Continues the text; what was being written before ends. */
async function write(model) {
  writing.abort();
  writing = new AbortController();
  const { signal } = writing;
  const written = element('span', 'written');
  answer.replaceChildren(element('p', 'marked', text.value, written));
  try {
    for await (const piece of model.generate(text.value, { temperature: 0.6, stop: '\n', seed: 1, signal }))
      written.append(piece);
  } catch (error) {
    if (error.code !== 'ABORTED') state.textContent = error.message;
  }
}

let model;
/** The number of models that were asked for. */
let asked = 0;

function show() {
  if (!model) return;
  const begun = performance.now();
  if (model.kind === 'language') {
    state.textContent = 'The model writes on.';
    write(model);
    return;
  }
  const said = model.kind === 'tagger' ? tag(model) : classify(model);
  state.textContent = `${said}; ${(performance.now() - begun).toFixed(2)} ms`;
}

/** Opens a model in place of the one before: its address, or a file. */
async function open(source) {
  const mine = ++asked;
  writing.abort();
  model?.close();
  model = undefined;
  answer.replaceChildren();
  state.textContent = 'Loading the model …';
  text.disabled = true;
  try {
    const loaded = await load(source);
    // Another one was asked for in the meantime.
    if (mine !== asked) return loaded.close();
    model = loaded;
    text.disabled = false;
    text.focus();
    show();
  } catch (error) {
    if (mine === asked) state.textContent = error.message;
  }
}

text.addEventListener('input', show);
choice.addEventListener('change', () => open(choice.value));
file.addEventListener('change', () => {
  if (file.files.length > 0) open(file.files[0]);
});

// The models next to this page, each with what it is called: [{ "name": "Tickets", "file": "tickets.safetensors" }].
const listed = await (await fetch('models.json')).json();
for (const { name, file: address } of listed) choice.append(new Option(name, address));
document.querySelector('#listed').hidden = listed.length === 0;
if (listed.length > 0) open(choice.value);
else state.textContent = 'Choose a model file, or list some in models.json.';
