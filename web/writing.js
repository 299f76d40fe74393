// The page of a language model: a text that grows.

import { $, ask, element } from './dom.js';

const REASONS = { stop: 'a string to stop at came', end: 'the model ended the text', length: 'that is the most' };

/** Makes the page ready for a model; returns what is said about it. */
export function begin({ units, words, cell, limits }) {
  const most = $('most');
  most.max = limits.newTokens;
  if (most.valueAsNumber > limits.newTokens) most.value = limits.newTokens;
  $('writing').disabled = $('writing').hidden = false;
  $('prompt-label').textContent = 'Prompt';
  $('send').textContent = 'Write';
  $('keys').textContent = 'Ctrl and Enter write, too.';
  return `${words.toLocaleString('en')} ${units}, ${cell.toUpperCase()}: a language model.`;
}

/** The events of an answer, as names and data. */
async function* eventsOf(response) {
  let held = '';
  for await (const part of read(response.body.pipeThrough(new TextDecoderStream()))) {
    const events = (held + part).split('\n\n');
    held = events.pop();
    for (const event of events) {
      const [, name, data] = /^event: (.*)\ndata: (.*)$/.exec(event);
      yield [name, JSON.parse(data)];
    }
    // No more is read than can be shown; the server waits then.
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The parts of a stream; not every browser has them as an iterable. */
async function* read(stream) {
  const reader = stream.getReader();
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) yield part.value;
  } finally {
    await reader.cancel();
  }
}

/** Writes what may follow the prompt, as it comes; returns what is said when it is done. */
export async function answer(prompt, answers) {
  const [stop, seed] = [$('stop'), $('seed').value];
  const abort = new AbortController();
  const end = () => abort.abort();
  const body = {
    prompt,
    maxNewTokens: $('most').valueAsNumber,
    temperature: $('temperature').valueAsNumber,
    ...(seed !== '' && { seed: Number(seed) }),
    stream: true,
  };
  const article = element('article');
  const quote = element('blockquote');
  const text = element('span', '', { class: 'written' });
  quote.append(prompt, text);
  article.append(quote);
  stop.disabled = false;
  stop.addEventListener('click', end);
  try {
    const response = await ask('generate', body, { signal: abort.signal });
    answers.replaceChildren(article);
    for await (const [name, data] of eventsOf(response)) {
      if (name === 'text') text.append(data.text);
      if (name === 'error') throw new Error(`${data.error.message} (${data.error.code})`);
      if (name === 'end') {
        article.append(element('p', `Seed ${data.seed}.`, { class: 'note' }));
        return `${data.tokens} units written: ${REASONS[data.reason]}.`;
      }
    }
    throw new Error('The connection was lost.');
  } catch (error) {
    if (abort.signal.aborted) return 'Stopped.';
    throw error;
  } finally {
    stop.disabled = true;
    stop.removeEventListener('click', end);
  }
}
