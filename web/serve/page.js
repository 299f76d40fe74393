// The page for trying texts by hand: what is asked for when, and what is shown where.

import { showAbout } from './about.js';
import { classifier } from './classifier.js';
import { beginCode } from './code.js';
import { $, count, note } from './dom.js';
import { History } from './history.js';
import { language } from './language.js';
import { pairs } from './pairs.js';
import { tell } from './server.js';
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

function setRunning(mine) {
  running = mine;
  if (mine) answers.setAttribute('aria-busy', 'true');
  else answers.removeAttribute('aria-busy');
  // A button that is disabled would lose the focus.
  stop.setAttribute('aria-disabled', String(!mine || mine.typed));
}

function end() {
  running?.abort.abort();
  setRunning(null);
}

/** What is wrong with the controls, in words. */
function faultOfControls() {
  const wrong = [...form.elements].find((each) => each.matches('input:invalid'));
  return wrong && `${wrong.labels[0].textContent}: ${wrong.validationMessage}`;
}

function begin(model) {
  const kind = KINDS[model.kind](model, $('controls'), () => {
    if (live.checked || shown) later();
  });
  let shown = false;
  /** Whether the page itself has refused the last question. */
  let refused = false;
  $('text-label').textContent = kind.label ?? 'Text';
  send.textContent = kind.button;
  $('live-label').textContent = kind.live;
  stop.hidden = $('stop-key').hidden = !kind.stops;
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

  /** Why a text cannot be asked for, in words. */
  function faultOf(asked) {
    const wrong = faultOfControls();
    if (wrong) return wrong;
    const [, { text: one, prompt = one }] = kind.request(asked);
    const most = model.limits.textLength;
    if (!(prompt?.length > most)) return undefined;
    return `The text has ${count(prompt.length)} characters, and this server takes ${count(most)} (recurra serve --max-text-length).`;
  }

  /**
   * Asks for a text. Of two questions the last one is shown, whichever is answered first.
   *
   * @param typed - Whether it is asked without a button or a key for it, because the text changed.
   * @param quiet - Whether the status stays as it is.
   */
  async function answer(typed, { asked = text.value, quiet = false } = {}) {
    clearTimeout(timer);
    clearTimeout(settling);
    // What is being written is not ended by a key.
    if (typed && kind.stops && running && !running.typed) return;
    end();
    if (typed && asked.trim() === '') {
      if (!kind.clear || kind.clear()) empty();
      return;
    }
    const fault = faultOf(asked);
    refused = fault !== undefined;
    if (refused) {
      failure.textContent = fault;
      if (!typed) form.reportValidity();
      return;
    }
    const abort = new AbortController();
    const mine = { abort, typed };
    const { mark } = history;
    setRunning(mine);
    if (!typed) done.textContent = 'Asking…';
    try {
      const how = { live: typed, signal: abort.signal, answers, again };
      const { said, kept } = await kind.answer(asked, how);
      if (running !== mine) return;
      shown = true;
      failure.textContent = '';
      if (!quiet) done.textContent = said;
      if (kept === undefined) return;
      const add = () => history.add(asked, kept, text.value, mark);
      if (typed) settling = setTimeout(add, SETTLED);
      else add();
    } catch (error) {
      if (abort.signal.aborted) return;
      done.textContent = '';
      failure.textContent = error.message;
      if (!kind.stops) answers.replaceChildren(note(kind.empty));
      if (typed && error.retryAfter) timer = setTimeout(() => answer(true), 1_000 * error.retryAfter);
    } finally {
      if (running === mine) {
        end();
        // What was typed while the model wrote waits to be measured.
        if (kind.stops && !typed && live.checked && text.value !== asked) later({ quiet: true });
      }
    }
  }

  /**
   * Asks once more for the text whose answer is shown; if another one is answered by itself, for that one. What a button asked for and is not answered
   * yet stays a question of the button.
   */
  function again(asked) {
    answer(running?.typed !== false, live.checked ? {} : { asked });
  }

  function later(how) {
    clearTimeout(timer);
    clearTimeout(settling);
    timer = setTimeout(() => answer(true, how), text.value.length > LONG ? LONG_PAUSE : PAUSE);
  }

  text.addEventListener('input', () => {
    history.leave();
    showCode();
    if (live.checked) later();
  });
  $('controls').addEventListener('input', () => {
    showCode();
    if (refused && !faultOf(text.value)) failure.textContent = '';
  });
  live.addEventListener('change', () => {
    if (live.checked) later();
    else clearTimeout(timer);
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    answer(false);
  });
  const stopWriting = () => {
    if (running && !running.typed) running.abort.abort();
  };
  stop.addEventListener('click', stopWriting);
  addEventListener('keydown', (event) => {
    if (event.key === 'Escape') stopWriting();
  });
  text.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form.requestSubmit();
    else if (event.altKey && (event.key === 'ArrowUp' || event.key === 'ArrowDown')) {
      event.preventDefault();
      history.step(event.key === 'ArrowUp' ? 1 : -1, text.value);
    }
  });
  send.disabled = false;
  // What was typed before the server had told what it is.
  if (text.value !== '') {
    showCode();
    if (live.checked) later();
  }
}

try {
  begin(await tell('model'));
} catch (error) {
  $('facts').textContent = '';
  failure.textContent = error.message;
}
