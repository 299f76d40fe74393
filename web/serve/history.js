// What was tried in this visit.

import { $, el, renew } from './dom.js';
import { recall, remember } from './storage.js';

const MOST = 30;
/** A longer text is not kept: there is little room. */
const LONGEST = 5_000;
const SHOWN = 140;

const fits = (entry) => typeof entry?.text === 'string' && typeof entry.said === 'string';

const shortened = (text) => (text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text);

/** Texts and what was answered, the newest first. */
export class History {
  #key;
  #entries;
  #choose;
  /** The entry that was brought back; -1 for none. */
  #at = -1;
  /** What was being written before an entry was brought back. */
  #draft = '';

  /** How often all was forgotten. */
  #forgotten = 0;

  /** @param choose - Called with a text that is to be asked for again. */
  constructor(model, choose) {
    this.#key = `tried.${model.kind}.${model.name ?? ''}`;
    this.#choose = choose;
    const kept = recall(this.#key);
    this.#entries = Array.isArray(kept) ? kept.filter(fits).slice(0, MOST) : [];
    $('forget').addEventListener('click', () => {
      this.#entries = [];
      this.#forgotten += 1;
      this.#changed();
      $('text').focus();
    });
    this.#show();
  }

  /** A mark of what is asked now: what was asked before all was forgotten is not added. */
  get mark() {
    return this.#forgotten;
  }

  /**
   * Adds a text and what was answered; one that is there moves up. `current` is what is being written by now, `mark` that of the time when the text
   * was asked for.
   */
  add(text, said, current, mark) {
    if (mark !== this.#forgotten || text.trim() === '' || text.length > LONGEST) return;
    const brought = this.#entries[this.#at];
    if (brought?.text === text) {
      // It stays where it is: the next step leads to its neighbour.
      brought.said = said;
      this.#changed();
      return;
    }
    this.#entries = [{ text, said }, ...this.#entries.filter((entry) => entry.text !== text)].slice(0, MOST);
    // A visitor who continued while the answer was made is not moved.
    this.#at = current === text ? 0 : this.#entries.indexOf(brought);
    this.#changed();
  }

  /** Brings back an older text, or a newer one with a negative step. Newer than the newest is `current`, the text that was being written. */
  step(by, current) {
    const at = this.#at + by;
    if (at < -1 || at >= this.#entries.length) return;
    if (this.#at === -1) this.#draft = current;
    if (at === -1 && this.#draft === '') return;
    this.#at = at;
    this.#choose(at === -1 ? this.#draft : this.#entries[at].text);
  }

  /** Another text is written: the newest entry is the next to be brought back. */
  leave() {
    this.#at = -1;
    this.#draft = '';
  }

  #changed() {
    remember(this.#key, this.#entries);
    this.#show();
  }

  #show() {
    const items = this.#entries.map(({ text, said }, at) => {
      const again = () => {
        this.#at = at;
        this.#choose(text);
      };
      const parts = [
        el('span', { class: 'tried', dir: 'auto' }, shortened(text)),
        el('span', { class: 'said', dir: 'auto' }, shortened(said)),
      ];
      return el('li', {}, el('button', { type: 'button', class: 'entry', on: { click: again } }, ...parts));
    });
    renew($('tried'), items, ({ firstChild }) => firstChild.textContent);
    $('history-empty').hidden = items.length > 0;
    $('forget').hidden = items.length === 0;
  }
}
