import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { LanguageModel } from '../../src/index.js';
import { COMMAND, recurra } from '../support/cli.js';
import { temporaryFolder } from '../support/folder.js';

const folder = temporaryFolder();
const [text, model] = ['lines.txt', 'model'].map((name) => join(folder, name)) as [string, string];
const SMALL = ['--embedding-dim', '16', '--hidden-size', '32', '--num-layers', '1', '--dropout', '0', '--lr', '0.03'];

beforeAll(() => {
  writeFileSync(text, 'the cat sat.\n'.repeat(150));
  const rest = ['--window', '16', '--batch-size', '8', '--epochs', '10', '--validation', '0.1', '--out', model];
  const { status, err, out } = recurra(['train', text, '--task', 'language', ...SMALL, ...rest]);
  expect(err).toMatch(/epoch 10\/10: loss .*validation loss [\d.]+, perplexity 1\.\d+/);
  expect(status).toBe(0);
  expect(out).toMatch(
    /: 17\d\d characters, 11 different ones, epoch \d+ of 10 kept \(the smallest loss on validation\), .*perplexity/,
  );
});

const LINUX = process.platform === 'linux';

/** What the system says of a process. */
const processState = ({ pid }: ChildProcess) => readFileSync(`/proc/${pid}/status`, 'utf8');

/** Hundredths of a second that a process has computed for. */
function ticks({ pid }: ChildProcess): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ');
  return Number(fields[13]) + Number(fields[14]);
}

/** Waits until a process has a handler for SIGHUP, which Node has none for: the model is loaded then. */
async function handled(child: ChildProcess): Promise<void> {
  const handler = () => Number.parseInt(/^SigCgt:\s+\w*(\w)$/m.exec(processState(child))![1]!, 16) & 1;
  await vi.waitFor(() => expect(handler()).toBe(1), { interval: 20, timeout: 20_000 });
}

describe('the command line for language models', () => {
  it('measures a model on a file, as one text or line by line', async () => {
    const held = join(folder, 'held.txt');
    writeFileSync(held, 'the cat sat.\n'.repeat(20));
    const loaded = await LanguageModel.load(model);
    const expected = await loaded.evaluate(held);
    const { out, err, status } = recurra(['evaluate', model, held]);
    const shown = `loss ${expected.loss.toFixed(4)} nats for each, perplexity ${expected.perplexity.toPrecision(4)}`;
    expect({ out, err, status }).toEqual({
      out: `261 characters, ${shown}, ${expected.bitsPerCharacter.toFixed(4)} bits per character\n`,
      err: '',
      status: 0,
    });
    const [end] = recurra(['evaluate', model, held, '--json']).json();
    const file = { event: 'end', model, predictions: null, skipped: 0 };
    expect(end).toEqual({ ...file, units: 'characters', ...expected });
    expect(expected.loss).toBeLessThan(0.3);
    // Each bit is a halved probability; the end of the text is a unit without a character.
    expect(expected.bitsPerCharacter).toBeCloseTo((expected.loss * 261) / 260 / Math.LN2, 12);

    const rows = join(folder, 'rows.jsonl');
    writeFileSync(rows, '{"body":"the cat sat."}\n{"text":"no"}\n{"body":"the cat"}\n');
    const lines = recurra(['evaluate', model, rows, '--text', 'body', '--skip-bad-rows', '--json']).json();
    const { loss } = await loaded.evaluate(['the cat sat.', 'the cat']);
    expect(lines.at(-1)).toMatchObject({ rows: 21, loss, skipped: 1 });
    await loaded.close();
  });

  it('writes a text behind a prompt', () => {
    const args = ['generate', model, '--prompt', 'the c', '--temperature', '0'];
    expect(recurra([...args, '--max-new-tokens', '20'])).toMatchObject({
      status: 0,
      err: '',
      out: 'the cat sat.\nthe cat sat.\n',
    });
    expect(recurra([...args, '--seed', '3', '--stop', 'sat', '--json']).json()).toEqual([
      { event: 'text', prompt: 'the c', text: 'at ', reason: 'stop', promptTokens: 5, tokens: 6, seed: 3 },
    ]);
    expect(recurra([...args, '--stop', 'sat', '--stop', 't ', '--stop', 'sat.']).out).toBe('the ca\n');
  });

  it('takes a prompt from a file or standard input, as it is', () => {
    const file = join(folder, 'prompt.txt');
    writeFileSync(file, 'the cat sat.\nthe c');
    const rest = ['--temperature', '0', '--max-new-tokens', '8'];
    expect(recurra(['generate', model, '--prompt-file', file, ...rest]).out).toBe('the cat sat.\nthe cat sat.\n\n');
    expect(recurra(['generate', model, '--prompt-file', '-', ...rest], 'the c').out).toBe('the cat sat.\n\n');
    const none = recurra(['generate', model, '--prompt-file', join(folder, 'none')]);
    expect([none.status, none.err]).toEqual([1, expect.stringMatching(/none: no such file \[FILE_NOT_FOUND\]/)]);
  });

  it('is what a classifier begins with', () => {
    const csv = join(folder, 'labelled.csv');
    writeFileSync(csv, `text,label\n${'the cat,a\nno dog,b\n'.repeat(10)}`);
    const columns = ['--text', 'text', '--label', 'label'];
    const rest = [...columns, '--epochs', '1', '--no-linear', '--out', join(folder, 'classifier')];
    const elsewhere = [...rest.slice(0, -1), join(folder, 'elsewhere')];
    const begun = recurra(['train', csv, '--encoder', model, ...rest]);
    expect([begun.err.replace(/^(?!recurra:).*$/gm, '').trim(), begun.status]).toEqual(['', 0]);
    const wrong = recurra(['train', csv, '--encoder', join(folder, 'classifier'), ...elsewhere]);
    expect([wrong.status, wrong.err]).toEqual([2, expect.stringContaining('--encoder needs a language model')]);
    const over = recurra(['train', csv, '--encoder', model, '--out', model]);
    expect([over.status, over.err]).toEqual([2, expect.stringContaining('the file of the encoder')]);
    const other = recurra(['train', csv, '--encoder', model, '--hidden-size', '7', ...rest]);
    expect([other.status, other.err]).toEqual([
      2,
      expect.stringContaining('--hidden-size is 7, but the encoder has 32'),
    ]);
    const language = recurra(['train', text, '--task', 'language', '--encoder', model]);
    expect(language.err).toContain('--encoder does not apply to --task language');
  });

  it('learns from rows of standard input, if the format is given', () => {
    const rows = ['--task', 'language', '--format', 'csv', '--text', 'body', '--window', '4', '--epochs', '1'];
    const { status, out } = recurra(
      ['train', '-', ...rows, ...SMALL, '--out', join(folder, 'rows')],
      'id,body\n99,abcab\n',
    );
    expect(status).toBe(0);
    expect(out).toMatch(/: 6 characters, 5 different ones,/);
  });

  const ENDLESS = ['--prompt', 'the c', '--temperature', '0', '--max-new-tokens', '2000000000'];

  it('ends a line at the first signal', async () => {
    const args = ['generate', model, ...ENDLESS];
    const child = spawn(process.execPath, [...COMMAND, ...args]);
    let out = '';
    child.stdout.on('data', (data: Buffer) => {
      // The prompt comes before anything is computed.
      if (out === '') child.kill('SIGINT');
      out += data;
    });
    const [status] = await once(child, 'close');
    expect(status).toBe(130);
    expect(out).toMatch(/^the c.*\n$/s);
  });

  it.runIf(LINUX)('keeps the text of JSON at a signal', async () => {
    const child = spawn(process.execPath, [...COMMAND, 'generate', model, ...ENDLESS, '--json']);
    let out = '';
    child.stdout.on('data', (data: Buffer) => {
      out += data;
    });
    const end = once(child, 'close');
    await handled(child);
    const begun = ticks(child);
    await vi.waitFor(() => expect(ticks(child)).toBeGreaterThan(begun + 20), { interval: 20, timeout: 20_000 });
    child.kill('SIGINT');
    const [status] = await end;
    expect(status).toBe(130);
    const { text, ...others } = JSON.parse(out) as { text: string };
    expect(others).toEqual({ event: 'text', prompt: 'the c', reason: 'aborted' });
    expect(text.startsWith('at sat.\nthe cat sat.\n')).toBe(true);
  });

  it.runIf(LINUX)('writes no more than a slow reader takes, and ends at a signal while it waits', async () => {
    const child = spawn(process.execPath, [...COMMAND, 'generate', model, ...ENDLESS]);
    child.stdout.pause();
    const ended = once(child, 'exit');
    await handled(child);
    // Idle: the pipe is full and nobody reads.
    let before = -1;
    await vi.waitFor(
      () => {
        const now = ticks(child);
        const idle = now === before;
        before = now;
        expect(idle).toBe(true);
      },
      { interval: 500, timeout: 20_000 },
    );
    expect(Number(/^VmRSS:\s+(\d+)/m.exec(processState(child))?.[1])).toBeLessThan(300_000);
    child.kill('SIGINT');
    child.stdout.resume();
    expect(await ended).toEqual([130, null]);
  });

  it('is served, and ends at a signal', async () => {
    const child = spawn(process.execPath, [
      ...COMMAND,
      'serve',
      model,
      '--port',
      '0',
      '--json',
      '--max-new-tokens',
      '9',
    ]);
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const { url, ...others } = JSON.parse((await lines.next()).value as string) as { url: string };
    expect(others).toEqual({ event: 'listening', model });
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify({ prompt: 'the c', temperature: 0 });
    const answer = await (await fetch(`${url}/generate`, { method: 'POST', headers, body })).text();
    expect(answer).toMatch(
      /^event: text\ndata: {"text":"a"}\n\n.*\nevent: end\ndata: {"reason":"length","promptTokens":5,"tokens":9,/s,
    );
    child.kill('SIGTERM');
    expect(await once(child, 'close')).toEqual([0, null]);
  });

  it('refuses what does not fit', () => {
    const refused = (args: string[], message: RegExp) => {
      const { status, err } = recurra(args);
      expect(status).toBe(2);
      expect(err).toMatch(message);
    };
    refused(['generate', model, '--temperature', '-1'], /temperature/);
    refused(
      ['generate', model, '--max-new-tokens', '-1'],
      /'--max-new-tokens <n>' argument '-1' is invalid\. Expected a whole number from 1 to 2147483647\./,
    );
    refused(['generate', model, '--max-new-tokens', '0'], /Expected an integer from 1 .* but received number 0/);
    refused(['generate', model, '--stop', ''], /an array of strings, none of them empty, for --stop/);
    refused(['generate', model, '--prompt', 'a', '--prompt-file', text], /give --prompt or --prompt-file, not both/);
    refused(['serve', model, '--max-queue', '5'], /--max-queue does not apply to a language model/);
    refused(['serve', model, '--top-k', '5'], /--top-k does not apply to a language model/);
    refused(['evaluate', model, text, '--label', 'x'], /--label does not apply to a language model/);
    refused(['evaluate', model, text, '--device', 'cpu'], /--device does not apply to a language model/);
    refused(['evaluate', model, text, '--predictions', join(folder, 'p')], /--predictions does not apply/);
    refused(['predict', model, 'a text'], /works with models of kind "classifier", "tagger" and "seq2seq"/);
    refused(['train', text, '--task', 'language', '--pooling', 'max'], /--pooling does not apply to --task language/);
    const empty = join(folder, 'empty.txt');
    writeFileSync(empty, '');
    const { status, err } = recurra(['evaluate', model, empty]);
    expect([status, err]).toEqual([
      1,
      expect.stringMatching(/empty\.txt: the texts to measure have no characters \[EMPTY_DATASET\]/),
    ]);
    const untrained = recurra(['train', empty, '--task', 'language', '--out', join(folder, 'none')]);
    expect([untrained.status, untrained.err]).toEqual([
      1,
      expect.stringMatching(/empty\.txt: the texts have no characters \[EMPTY_DATASET\]/),
    ]);
    refused(['train', text, '--task', 'language', '--tokenizer', 'characters'], /use --units for built-in units/);
    refused(['train', text, '--task', 'language', '--label', 'x'], /--label does not apply to --task language/);
    refused(['train', text, '--task', 'language', '--tag', '2'], /--tag does not apply to --task language/);
    refused(
      ['train', text, '--task', 'language', '--text', '2'],
      /lines\.txt is read as one text, so --text does not apply; give --format if it has rows/,
    );
  });
});
