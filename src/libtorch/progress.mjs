// Progress display: a line for each step; for long ones, a bar on a terminal or an occasional line elsewhere.

const out = process.stderr;
const barWidth = 30;
/** Interval between lines of progress without a terminal, ms; interval between updates of the bar, ms. */
const lineEvery = 5_000;
const drawEvery = 100;

const label = (name) => `  ${name.padEnd(14)}`;

/** Reports a finished or unnecessary step: its name and the result. */
export function line(name, text) {
  out.write(`${label(name)}${text}\n`);
}

/** Further text below a step. */
export function note(text) {
  for (const part of text.split('\n')) out.write(`    ${part}\n`);
}

/** Bytes as a person reads them: `531 MB`. */
export function megabytes(bytes) {
  return `${Math.round(bytes / 1e6)} MB`;
}

/** A long step with a known (or estimated) amount of work in bytes. */
export class ByteProgress {
  #name;
  #verb;
  #total;
  #done = 0;
  #shown = 0;
  #begun = Date.now();

  constructor(name, verb, total) {
    this.#name = name;
    this.#verb = verb;
    this.#total = total;
    this.#show();
  }

  add(bytes) {
    this.set(this.#done + bytes);
  }

  set(done) {
    this.#done = Math.max(this.#done, done);
    if (Date.now() - this.#shown >= (out.isTTY ? drawEvery : lineEvery)) this.#show();
  }

  #show() {
    this.#shown = Date.now();
    const share = Math.min(1, this.#total > 0 ? this.#done / this.#total : 0);
    const amounts = `${megabytes(this.#done)} of ${megabytes(this.#total)}`;
    if (out.isTTY) {
      const filled = Math.round(share * barWidth);
      const bar = '#'.repeat(filled) + '.'.repeat(barWidth - filled);
      out.write(`\r${label(this.#name)}${this.#verb} [${bar}] ${amounts} `);
    } else {
      out.write(`${label(this.#name)}${this.#verb} ${amounts} (${Math.round(share * 100)} %)\n`);
    }
  }

  /** Ends the display and returns the seconds it took. */
  end() {
    if (out.isTTY) out.write('\r\x1b[2K');
    return (Date.now() - this.#begun) / 1000;
  }
}
