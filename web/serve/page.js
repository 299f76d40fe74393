// The page for trying texts by hand: what is asked for when, and what is shown where.

import { showAbout } from './about.js';
import { classifier } from './classifier.js';
import { beginCode } from './code.js';
import { $, note } from './dom.js';
import { History } from './history.js';
import { language } from './language.js';
import { pairs } from './pairs.js';
import { tagger } from './tagger.js';
import { beginTheme } from './theme.js';

const KINDS = { classifier, tagger, language, seq2seq: pairs };
/** Milliseconds without a key after which a text is asked for; a long one takes longer. */
const PAUSE = 150;
const LONG_PAUSE = 600;
const LONG = 2_000;
/** Milliseconds for which an answer stands before its text counts as tried. */
const SETTLED = 1_500;

const PARTS = ['form', 'text', 'send', 'stop', 'live', 'failure', 'done', 'answers'];
const [form, text, send, stop, live, failure, done, answers] = PARTS.map($);

beginTheme();

/** The question that is being answered; each ends the one before it. */
let running = null;
let timer;
let settling;

function end() {
  running?.abort.abort();
  running = null;
  answers.removeAttribute('aria-busy');
  stop.disabled = true;
}

function begin(model) {
  const kind = KINDS[model.kind](model, $('controls'), () => {
    showCode();
    if (live.checked || shown) later();
  });
  let shown = false;
  $('text-label').textContent = kind.label ?? 'Text';
  send.textContent = kind.button;
  $('live-label').textContent = kind.live;
  stop.hidden = $('stop-key').hidden = !kind.stops;
  text.maxLength = model.limits.textLength;
  showAbout(model, kind.facts);
  const showCode = beginCode(() => kind.request(text.value));
  const empty = () => {
    answers.replaceChildren(note(kind.empty));
    done.textContent = failure.textContent = '';
    shown = false;
  };
  empty();

  const history = new History(model, (chosen) => {
    text.value = chosen;
    showCode();
    answer(kind.stops);
    text.focus();
  });

  /** Asks for the text. Of two questions the last one is shown, whichever is answered first. */
  async function answer(typed) {
    clearTimeout(timer);
    clearTimeout(settling);
    const asked = text.value;
    // What is being written is not ended by a key.
    if (typed && kind.stops && running && !running.typed) return;
    end();
    if (typed && asked.trim() === '') {
      if (!kind.stops) empty();
      return;
    }
    if (!form.checkValidity()) {
      if (!typed) form.reportValidity();
      return;
    }
    const abort = new AbortController();
    const mine = { abort, typed };
    running = mine;
    answers.setAttribute('aria-busy', 'true');
    stop.disabled = typed;
    if (!typed) done.textContent = 'Asking…';
    try {
      const how = { live: typed, signal: abort.signal, answers, again: () => answer(true) };
      const { said, kept } = await kind.answer(asked, how);
      if (running !== mine) return;
      shown = true;
      failure.textContent = '';
      done.textContent = said;
      if (kept === undefined) return;
      const add = () => history.add(asked, kept, text.value);
      if (typed) settling = setTimeout(add, SETTLED);
      else add();
    } catch (error) {
      if (abort.signal.aborted) return;
      done.textContent = '';
      failure.textContent = error.message;
      if (!kind.stops) answers.replaceChildren(note(kind.empty));
      if (typed && error.retryAfter) timer = setTimeout(() => answer(true), 1_000 * error.retryAfter);
    } finally {
      if (running === mine) end();
    }
  }

  function later() {
    clearTimeout(timer);
    clearTimeout(settling);
    timer = setTimeout(() => answer(true), text.value.length > LONG ? LONG_PAUSE : PAUSE);
  }

  text.addEventListener('input', () => {
    history.leave();
    showCode();
    if (live.checked) later();
  });
  live.addEventListener('change', () => {
    if (live.checked) later();
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    answer(false);
  });
  stop.addEventListener('click', () => running?.abort.abort());
  addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && running && !running.typed) running.abort.abort();
  });
  text.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form.requestSubmit();
    else if (event.altKey && (event.key === 'ArrowUp' || event.key === 'ArrowDown')) {
      event.preventDefault();
      history.step(event.key === 'ArrowUp' ? 1 : -1, text.value);
    }
  });
}

try {
  begin(await (await fetch('model')).json());
} catch (error) {
  failure.textContent = `The server does not answer: ${error.message}`;
}
