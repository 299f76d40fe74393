// The page of a language model: a text that grows, and how surprising a text is.

import { count, el, note, numberField, quoted, styled } from './dom.js';
import { ask, askJson, Refused } from './server.js';

const REASONS = { stop: 'a string to stop at came', end: 'the model ended the text', length: 'that is the most' };

/** Code units of a text that is measured as it is typed. */
const MEASURED = 5_000;
const HEAT = 70;

/** The parts of a stream; not every browser has them as an iterable. */
async function* partsOf(stream) {
  const reader = stream.getReader();
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) yield part.value;
  } finally {
    await reader.cancel();
  }
}

/** The events of an answer, as names and data. */
async function* eventsOf(response) {
  let held = '';
  for await (const part of partsOf(response.body.pipeThrough(new TextDecoderStream()))) {
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

/** Makes the page ready for a language model. */
export function language({ units, words, cell, limits }, controls) {
  const [most, mostField] = numberField('most', `${units[0].toUpperCase()}${units.slice(1)} to write`, {
    ...{ min: 1, max: limits.newTokens, value: Math.min(256, limits.newTokens), required: true },
  });
  const [temperature, temperatureField] = numberField('temperature', 'Temperature', {
    ...{ min: 0, step: 'any', value: 0.8, required: true },
  });
  const [seed, seedField] = numberField('seed', 'Seed', { min: 0, placeholder: 'another each time' });
  controls.append(el('div', { class: 'row' }, mostField, temperatureField, seedField));

  const measured = el('article', { hidden: true, 'aria-label': 'The text as the model reads it' });
  const written = el('article', { hidden: true, 'aria-label': 'What the model writes' });

  /** Shows both parts where they are not shown yet. */
  function place(answers) {
    if (!written.isConnected) answers.replaceChildren(written, measured);
  }

  /**
   * The pieces of a text that its units stand for. A unit that the model does not know has a name in place of its text; of characters it is one,
   * of other units the names are shown.
   */
  function piecesOf(text, read) {
    let at = 0;
    const pieces = read.map((unit) => {
      const known = text.startsWith(unit, at);
      const piece = known || units !== 'characters' ? unit : String.fromCodePoint(text.codePointAt(at) ?? 0);
      at += piece.length;
      return piece;
    });
    return pieces.join('') === text ? [pieces, ''] : [read, ' '];
  }

  /** A text whose units are coloured by how little the model expected them. */
  function surprising(text, { units: read, logProbabilities }) {
    const quote = el('blockquote', { dir: 'auto' });
    const [pieces, between] = piecesOf(text, read);
    const worst = Math.log(Math.max(words, 2));
    for (const [i, piece] of pieces.entries()) {
      const loss = -logProbabilities[i];
      const part = el('span', { class: 'against', title: `${(100 * Math.exp(-loss)).toPrecision(2)} %` }, piece);
      quote.append(styled(part, { '--heat': `${Math.round(HEAT * Math.min(1, loss / worst))}%` }), between);
    }
    return quote;
  }

  async function measure(text, { signal, answers }) {
    const score = await askJson('score', { text }, signal);
    const key = note(
      `Perplexity ${score.perplexity.toFixed(2)}, ${score.bitsPerCharacter.toFixed(2)} bits per character. The model did not expect what is `,
      el('span', { class: 'against key' }, 'coloured'),
      '.',
    );
    measured.replaceChildren(el('h3', {}, 'Your text, as the model reads it'), surprising(text, score), key);
    measured.hidden = false;
    place(answers);
    return { said: `Perplexity ${score.perplexity.toFixed(2)}.` };
  }

  async function write(prompt, body, { signal, answers }) {
    const text = el('span', { class: 'written' });
    const quote = quoted(prompt, prompt, text);
    const stoppedBy = (said) => ({ said, kept: text.textContent.trim() || said });
    try {
      const response = await ask('generate', body, signal);
      written.replaceChildren(quote);
      written.hidden = false;
      place(answers);
      for await (const [name, data] of eventsOf(response)) {
        if (name === 'text') text.append(data.text);
        if (name === 'error') throw new Refused(`${data.error.message} (${data.error.code})`);
        if (name === 'end') {
          written.append(note(`Seed ${data.seed}: it gives the same text again.`));
          return stoppedBy(
            `${count(data.tokens)} ${data.tokens === 1 ? units.slice(0, -1) : units} written: ${REASONS[data.reason]}.`,
          );
        }
      }
      throw new Refused('The connection was lost.');
    } catch (error) {
      if (signal.aborted) return stoppedBy('Stopped.');
      throw error;
    }
  }

  return {
    facts: `A language model of ${units}: ${cell.toUpperCase()}, ${count(words)} different ${units}.`,
    label: 'Prompt',
    button: 'Write',
    live: 'Measure as I type',
    empty: 'Type where a text begins: it is measured as you type, and the button lets the model continue it.',
    /** An answer takes its time, and can be stopped. */
    stops: true,
    request(prompt) {
      const given = seed.value === '' ? {} : { seed: seed.valueAsNumber };
      const options = { maxNewTokens: most.valueAsNumber, temperature: temperature.valueAsNumber, ...given };
      return ['generate', { prompt, ...options, stream: true }];
    },
    /** Takes away what was said of a text that is there no more; whether nothing is left. */
    clear() {
      measured.hidden = true;
      return written.hidden;
    },
    answer(text, how) {
      if (!how.live) return write(text, this.request(text)[1], how);
      if (text.length <= MEASURED) return measure(text, how);
      measured.replaceChildren(note(`A text of more than ${count(MEASURED)} characters is not measured.`));
      measured.hidden = false;
      place(how.answers);
      return { said: '' };
    },
  };
}
