import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { comparedResults } from '../../scripts/docs/comparison.js';
import { speedFigures } from '../../scripts/docs/speed.js';
import { between } from '../../scripts/docs/write.js';
import { Random, readCsv, TextClassifier } from '../../src/index.js';
import {
  checkout,
  exampleFolder,
  examplesOf,
  pageText,
  runExample,
  saidBy,
  typeErrors,
  writeExamples,
} from '../support/guide.js';
import { torchHalf } from '../support/halves.mjs';

const folder = exampleFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const WORDS: Record<string, string[]> = {
  billing: ['invoice', 'charged', 'refund', 'card', 'payment'],
  technical: ['app', 'crashes', 'login', 'screen', 'start'],
};
const FILLERS = ['i', 'was', 'the', 'my', 'on', 'twice', 'not'];

/** A table of made-up tickets: one to three words of their queue among fillers. */
function tickets(rows: number, seed: number): string {
  const random = new Random(seed);
  const lines = Array.from({ length: rows }, (_, i) => {
    const queue = i % 2 ? 'billing' : 'technical';
    const some = (words: string[], count: number) =>
      Array.from({ length: count }, () => words[random.int(words.length)]!);
    const words = [...some(WORDS[queue]!, 1 + random.int(3)), ...some(FILLERS, random.int(4))];
    return `ticket ${i},"${random.shuffle(words).join(' ')}",${queue},${i}\n`;
  });
  return `subject,body,queue,id\n${lines.join('')}`;
}

/** Made-up sentences with the names of people and places, a token a line. */
function names(rows: number, seed: number): string {
  const random = new Random(seed);
  const one = <T>(list: readonly T[]): T => list[random.int(list.length)]!;
  const sentence = () => {
    const person = `${one(['Emil', 'Ada', 'Zoë', 'Tom'])} B-person\n`;
    const place = one(['New B-place\nYork I-place\n', 'Paris B-place\n', 'Oslo B-place\n']);
    return `${person}${one(['moved O\nto', 'lives O\nin', 'comes O\nfrom'])} O\n${place}. O\n\n`;
  };
  return Array.from({ length: rows }, sentence).join('');
}

/** Dates as they are written, and by the standard. */
function dates(rows: number, seed: number): string {
  const random = new Random(seed);
  const lines = Array.from({ length: rows }, () => {
    const date = new Date(Date.UTC(2020 + random.int(10), random.int(12), 1 + random.int(28)));
    const month = date.toLocaleString('en-GB', { month: 'long', timeZone: 'UTC' });
    return `${date.getUTCDate()} ${month} ${date.getUTCFullYear()},${date.toISOString().slice(0, 10)}\n`;
  });
  return `written,iso\n${lines.join('')}`;
}

beforeAll(async () => {
  const file = join(folder, 'tickets.csv');
  writeFileSync(file, tickets(1_000, 1));
  writeFileSync(join(folder, 'more.csv'), tickets(40, 2));
  writeFileSync(join(folder, 'names.conll'), names(400, 1));
  writeFileSync(join(folder, 'more.conll'), names(40, 2));
  writeFileSync(join(folder, 'corpus.txt'), tickets(40, 3));
  writeFileSync(join(folder, 'dates.csv'), dates(400, 1));
  writeFileSync(join(folder, 'more-dates.csv'), dates(60, 2));
  writeExamples(folder, examples);
  const model = await TextClassifier.train(readCsv(file, { text: 'body', label: 'queue' }));
  await model.save(join(folder, 'tickets.safetensors'));
  await model.close();
});

const PAGES = {
  'docs/quick-start.md': 3,
  'docs/cookbook.md': 10,
  'docs/choosing-a-model.md': 2,
  'docs/threads-and-processes.md': 4,
  'docs/troubleshooting.md': 1,
  'docs/gpu.md': 4,
  'docs/vectors.md': 1,
  'docs/exporting.md': 4,
  'docs/tagging.md': 3,
  'docs/tuning.md': 2,
  'docs/unsure.md': 2,
  'docs/language.md': 3,
  'docs/seq2seq.md': 1,
  'README.md': 2,
};
const examples = Object.keys(PAGES).flatMap(examplesOf);
/** What examples leave to their reader, so that it runs too. */
const REST: Record<string, string> = {
  'README-md-2.ts':
    "\nimport { tensor } from 'recurra/torch';\nconsole.log(new LSTMClassifier().forward(tensor([[1, 2, 3]])).shape); // [ 1, 4 ]\n",
};
/** Examples that run with libtorch alone. */
const NEEDS_TORCH = /'recurra\/(torch|lesson)'|cuda/;
for (const each of examples) each.code += REST[each.name] ?? '';

// A worker's file runs with the program that starts it, a page's in test/export/onnx.
const ELSEWHERE = ['worker.mjs', 'page.mjs'];

describe('the guides', () => {
  it.each(Object.entries(PAGES))('%s has its %i examples', (page, count) =>
    expect(examplesOf(page)).toHaveLength(count),
  );

  it('have examples that compile', () => {
    expect(
      typeErrors(
        folder,
        examples.filter(({ name }) => name.endsWith('.ts')),
      ),
    ).toEqual([]);
  }, 120_000);

  it.each(examples.filter(({ name, code }) => !ELSEWHERE.includes(name) && (torchHalf || !NEEDS_TORCH.test(code))))(
    '$page: $name runs, and prints what it says',
    (example) => {
      const run = runExample(folder, example);
      if (!example.code.includes('progressDisplay')) expect(run.stderr).toBe('');
      expect(run.status).toBe(0);
      const printed = run.stdout.split('\n');
      let from = 0;
      for (const said of saidBy(example)) {
        const at = printed.indexOf(said, from);
        expect(at, `${said} in\n${run.stdout}`).toBeGreaterThanOrEqual(from);
        from = at + 1;
      }
    },
    120_000,
  );

  it.each([
    ['docs/quick-start.md', 'billing'],
    ['README.md', 'billing'],
    ['docs/tagging.md', '[New York](place'],
    ['docs/inspecting.md', 'what to do'],
  ])(
    '%s: its commands run',
    (page, printed) => {
      const blocks = [...pageText(page).matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, code]) => code!);
      const commands = blocks.flatMap(
        (block) => block.match(/^npx recurra (train|evaluate|predict|inspect|doctor).*/gm) ?? [],
      );
      expect(commands.length).toBeGreaterThanOrEqual(3);
      const shell = `set -e\nnpx() { shift; "$NODE" "$COMMAND" "$@"; }\n${commands.join('\n')}`;
      const env = { ...process.env, NODE: process.execPath, COMMAND: join(checkout, 'dist', 'cli', 'main.js') };
      const run = spawnSync('sh', ['-c', shell], { cwd: folder, encoding: 'utf8', env });
      expect(run.status, run.stderr).toBe(0);
      expect(run.stdout).toContain(printed);
    },
    120_000,
  );
});

describe('docs/troubleshooting.md', () => {
  it('has an entry for each error code, in their order', () => {
    const union = /export type ErrorCode =([\s\S]*?);/.exec(pageText('src/core/errors.ts'))![1]!;
    const codes = [...union.matchAll(/'([A-Z_]+)'/g)].map(([, code]) => code);
    expect(codes.length).toBeGreaterThan(20);
    const entries = [...pageText('docs/troubleshooting.md').matchAll(/^### `([A-Z_]+)`\n\n(?=\w|`)/gm)];
    expect(entries.map(([, code]) => code)).toEqual(codes);
  });
});

describe('figures', () => {
  it('of the README, its picture and docs/how-it-works.md are those of the comparison', () => {
    const { svg, table, picture } = speedFigures(comparedResults().rows);
    expect(pageText('docs/images/speed.svg')).toBe(svg);
    for (const [page, figures] of Object.entries({ 'README.md': picture, 'docs/how-it-works.md': table })) {
      expect(pageText(page)).toBe(between(pageText(page), 'speed', figures));
    }
  });

  it('of docs/choosing-a-model.md are there', () => {
    expect(pageText('docs/choosing-a-model.md')).toMatch(/^\| the defaults( \| \d\d\.\d){6} \| 1\.0x \|$/m);
  });
});

/** The anchors of a page's headings, as GitHub makes them. */
function sectionsOf(page: string): Set<string> {
  const headings = pageText(page).matchAll(/^#+ (.*)$/gm);
  return new Set(
    [...headings].map(([, heading]) =>
      heading!
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

describe('links', () => {
  const pages = [
    ...readdirSync(checkout).filter((file) => file.endsWith('.md')),
    ...readdirSync(join(checkout, 'docs'))
      .filter((file) => file.endsWith('.md'))
      .map((file) => `docs/${file}`),
  ];

  it.each(pages)('of %s lead somewhere', (page) => {
    const links = [...pageText(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link!);
    const local = links.filter((link) => !/^(https?:|#)/.test(link)).map((link) => link.replace(/#.*$/, ''));
    expect(local.filter((link) => !existsSync(join(checkout, dirname(page), link)))).toEqual([]);
  });

  it.each(pages)('of %s to a section find its heading', (page) => {
    const links = [...pageText(page).matchAll(/\]\(([^)\s]*\.md)?#([^)\s]+)\)/g)];
    const missing = links.filter(([, file, section]) => {
      const target = file === undefined ? page : join(dirname(page), file);
      return !/^https?:/.test(file ?? '') && !sectionsOf(target).has(section!);
    });
    expect(missing.map(([link]) => link)).toEqual([]);
  });

  it('of docs/README.md lead to every guide', () => {
    const index = pageText('docs/README.md');
    const guides = pages.filter((page) => page.startsWith('docs/') && page !== 'docs/README.md');
    expect(guides.filter((page) => !index.includes(`(${page.slice('docs/'.length)})`))).toEqual([]);
  });
});
