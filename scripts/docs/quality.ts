/**
 * Writes the figures of docs/quality.md, docs/choosing-a-model.md and the README, and draws docs/images/quality.svg, from the results that
 * `npm run bench -- quality` keeps; that command calls it.
 */
import { type Figures, type Result, readResults } from '../../bench/quality/results.js';
import { SETS } from '../../bench/quality/sets.js';
import { card, writePages } from './write.js';

/** The mean of a program's seeds on a set. */
interface Mean extends Figures {
  seeds: number;
  /** Half the distance of the best and the worst seed's accuracy. */
  spread: number;
}

/** A set with what each program gave. */
interface Row {
  title: string;
  rows: number;
  testRows: number;
  labels: number;
  of: ReadonlyMap<string, Mean>;
}

const FIGURES = ['accuracy', 'macroF1', 'logLoss', 'calibration', 'seconds', 'microseconds', 'bytes'] as const;

/** The programs of the tables. fastText is the better of two settings, by the very test rows: that is to its advantage. */
const COLUMNS: Readonly<Record<string, string>> = {
  recurra: 'recurra',
  'recurra-members-3': '`members: 3`',
  'recurra-network': '`linear: false`',
  'recurra-linear': '`recurrent: false`',
  'scikit-learn': 'scikit-learn',
  fasttext: 'fastText',
};

/** What else a user may pick, on the sets that it was measured on. */
const OTHERS: Readonly<Record<string, string>> = { spacy: 'spaCy', minilm: 'MiniLM, linear' };

function meanOf(results: readonly Result[]): Mean {
  const mean = (name: (typeof FIGURES)[number]) =>
    results.reduce((sum, result) => sum + result[name], 0) / results.length;
  const accuracies = results.map(({ accuracy }) => accuracy);
  return {
    ...(Object.fromEntries(FIGURES.map((name) => [name, mean(name)])) as unknown as Figures),
    ...(results.every(({ processorSeconds }) => processorSeconds !== undefined) && {
      processorSeconds: results.reduce((sum, { processorSeconds }) => sum + processorSeconds!, 0) / results.length,
    }),
    seeds: results.length,
    spread: (Math.max(...accuracies) - Math.min(...accuracies)) / 2,
  };
}

/** The results as rows of tables, in the order of the sets; of equal measurements the last one counts. */
function rowsOf(results: readonly Result[]): Row[] {
  const last = new Map(results.map((result) => [`${result.set}\n${result.program}\n${result.seed}`, result]));
  return SETS.flatMap(({ name, title }) => {
    const here = [...last.values()].filter(({ set }) => set === name);
    const [first] = here;
    if (!first) return [];
    const of = new Map<string, Mean>();
    for (const program of new Set(here.map((result) => result.program)))
      of.set(program, meanOf(here.filter((result) => result.program === program)));
    const [words, subwords] = [of.get('fasttext-words'), of.get('fasttext-subwords')];
    const better = words && subwords ? (words.accuracy >= subwords.accuracy ? words : subwords) : (words ?? subwords);
    if (better) of.set('fasttext', better);
    return [{ title, rows: first.rows, testRows: first.testRows, labels: first.labels, of }];
  });
}

const grouped = (value: number) => value.toLocaleString('en-US');
const percent = (share: number) => (100 * share).toFixed(1);
const secondsText = (seconds: number) => (seconds < 10 ? seconds.toFixed(1) : grouped(Math.round(seconds)));

function table(rows: readonly Row[], columns: readonly string[], cell: (mean: Mean) => string): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [
    line(['data', 'rows, labels', ...columns.map((name) => COLUMNS[name] ?? OTHERS[name]!)]),
    `|${'---|'.repeat(2 + columns.length)}`,
    ...rows.map(({ title, rows, labels, of }) => {
      const cells = columns.map((name) => {
        const mean = of.get(name);
        return mean ? cell(mean) : '';
      });
      return line([title, `${grouped(rows)}, ${labels}`, ...cells]);
    }),
  ].join('\n');
}

const accuracyCell = ({ accuracy, seeds, spread }: Mean) =>
  seeds > 1 ? `${percent(accuracy)} ±${percent(spread)}` : percent(accuracy);

/** On how many of the sets recurra has at least another program's accuracy. */
function ahead(rows: readonly Row[], other: string): { ahead: number; of: number; worst: number } {
  const both = rows.flatMap(({ of }) => {
    const [ours, theirs] = [of.get('recurra'), of.get(other)];
    return ours && theirs ? [ours.accuracy - theirs.accuracy] : [];
  });
  return {
    ahead: both.filter((gain) => gain >= 0).length,
    of: both.length,
    worst: both.length ? Math.min(...both) : 0,
  };
}

function sentence(rows: readonly Row[]): string {
  if (rows.length === 0) return 'Nothing was measured yet.';
  const beside = (name: string) => {
    const { ahead: count, of } = ahead(rows, name);
    return `${count} of ${of}`;
  };
  const measured = (name: string) => rows.some(({ of }) => of.has(name));
  const others = [
    ...(measured('spacy') ? [`as spaCy's text categorizer on ${beside('spacy')}`] : []),
    ...(measured('minilm') ? [`as a linear model over MiniLM's sentence embeddings on ${beside('minilm')}`] : []),
  ];
  const list = [`as fastText on ${beside('fasttext')}`, ...others];
  const last = list.pop()!;
  return (
    `With its defaults, recurra labels at least as many test texts right as scikit-learn's linear support vector machine on ${beside('scikit-learn')} ` +
    `data sets, ${list.map((each) => `${each}, `).join('')}and ${last}.`
  );
}

/** The tables of what was measured on some of the sets. */
function besideOthers(rows: readonly Row[]): string {
  const some = rows.filter(({ of }) => Object.keys(OTHERS).some((name) => of.has(name)));
  if (some.length === 0) return '';
  const columns = ['recurra', 'scikit-learn', 'fasttext', ...Object.keys(OTHERS)];
  const size = ({ bytes, processorSeconds: seconds }: Mean) =>
    `${(bytes / 1e6).toFixed(1)}${seconds === undefined ? '' : `, ${secondsText(seconds)}`}`;
  return `
Test accuracy in % compared with spaCy's text categorizer, trained with its defaults, and with a linear model over the sentence embeddings of MiniLM, a
pretrained encoder, on the sets where they were measured:

${table(some, columns, accuracyCell)}

The same programs: MB of the model, and seconds of processor time for training:

${table(some, columns, size)}
`;
}

/** Everything that is written. */
export function qualityFigures(results: readonly Result[]): {
  page: string;
  choosing: string;
  picture: string;
  svg: string;
} {
  const rows = rowsOf(results);
  const all = Object.keys(COLUMNS);
  const newest = results.at(-1);
  const codes = (ours: boolean) =>
    results.findLast(({ program }) => program.startsWith('recurra') === ours)?.code ?? 'not measured';
  const { worst } = ahead(rows, 'scikit-learn');
  const behind = worst < 0 ? ` Where it is behind scikit-learn's, it is so by ${percent(-worst)} points at most.` : '';
  const page = `${sentence(rows)}${behind}

Test accuracy in %, mean and half the range of the seeds:

${table(rows, all, accuracyCell)}
${besideOthers(rows)}
Macro F1 in %:

${table(rows, all, ({ macroF1 }) => percent(macroF1))}

Log loss in nats, and the calibration error:

${table(rows, all, ({ logLoss, calibration }) => `${logLoss.toFixed(3)}, ${calibration.toFixed(3)}`)}

Seconds of training, from texts to a model:

${table(rows, all, ({ seconds }) => secondsText(seconds))}

Size of the saved model in MB, and microseconds a text when all test texts are labelled together:

${table(rows, all, ({ bytes, microseconds }) => `${(bytes / 1e6).toFixed(1)}, ${grouped(Math.round(microseconds))}`)}

${newest?.processor ?? 'No processor'}, ${newest?.threads ?? 0} threads, ${newest?.date.slice(0, 10) ?? 'never'}. ${codes(true)}; ${codes(false)}.
`;
  const few = ['recurra', 'recurra-members-3', 'scikit-learn', 'fasttext'];
  const choosing = `${table(rows, few, accuracyCell)}\n`;
  const shown = BARS.filter(({ program }) => rows.some(({ of }) => of.has(program)));
  const charted = rows.filter(({ of }) => shown.every(({ program }) => of.has(program)));
  const alt = `Bar chart: wrong labels in 100 test texts, and processor seconds of training. ${charted
    .map(
      ({ title, of }) =>
        `${title}: ${shown.map(({ program, name }) => `${name} ${wrongAndTime(of.get(program)!)}`).join('; ')}`,
    )
    .join('. ')}.`;
  const picture = `![${alt}](docs/images/quality.svg)\n\n${sentence(rows)}\n`;
  return { page, choosing, picture, svg: drawn(charted, shown) };
}

const BARS = [
  { program: 'recurra', name: 'recurra', kind: 'ours' },
  { program: 'scikit-learn', name: 'scikit-learn', kind: 'theirs' },
  { program: 'fasttext', name: 'fastText', kind: 'third' },
  { program: 'spacy', name: 'spaCy', kind: 'fourth' },
  { program: 'minilm', name: 'MiniLM, linear', kind: 'pretrained' },
] as const;

const wrong = ({ accuracy }: Mean) => (100 * (1 - accuracy)).toFixed(1);

/** Processor time of training, as a reader would say it. */
const time = ({ processorSeconds: seconds }: Mean) => (seconds === undefined ? '' : `${secondsText(seconds)} s`);

const wrongAndTime = (mean: Mean) => [wrong(mean), time(mean)].filter((text) => text !== '').join(', ');

/** The chart. */
function drawn(rows: readonly Row[], series: readonly (typeof BARS)[number][]): string {
  const [width, left, top, bar] = [760, 190, 84, 13];
  const longest = width - left - 110;
  const most = Math.max(...rows.flatMap(({ of }) => series.map(({ program }) => 1 - of.get(program)!.accuracy)), 0.01);
  const height = top + rows.length * (series.length * bar + 10) + 6;
  const legend = series.map(
    ({ name, kind }, i) =>
      `  <rect class="${kind}" x="${16 + i * 120}" y="55" width="12" height="12" rx="2"/>\n  <text class="small" x="${34 + i * 120}" y="65">${name}</text>`,
  );
  const bars = rows.map(({ title, of }, at) => {
    const y = top + at * (series.length * bar + 10);
    const own = series.map(({ program, kind }, i) => {
      const mean = of.get(program)!;
      const length = Math.max(2, (longest * (1 - mean.accuracy)) / most);
      return `  <rect class="${kind}" x="${left}" y="${y + i * bar}" width="${length.toFixed(1)}" height="${bar - 2}" rx="2"/>
  <text class="small" x="${(left + length + 6).toFixed(1)}" y="${y + i * bar + 10}">${wrong(mean)}<tspan dx="8" class="faint">${time(mean)}</tspan></text>`;
    });
    return `  <text class="name" x="${left - 12}" y="${y + series.length * bar * 0.5 + 4}">${title}</text>\n${own.join('\n')}`;
  });
  const words = {
    title: 'Wrong labels in 100 test texts, and the time of training',
    head: 'Wrong labels in 100 test texts, and processor time of training',
    note: 'Shorter is better. scikit-learn: LinearSVC over TF-IDF of words and characters; MiniLM: a pretrained encoder of 90 MB',
  };
  return card(
    { width, height },
    words,
    series.map(({ kind }) => kind),
    [...legend, ...bars],
  );
}

/** Writes all pages from a file of results, and says which. */
export function writeQuality(results: string): string[] {
  const { page, choosing, picture, svg } = qualityFigures(readResults(results));
  const pages = { 'docs/quality.md': page, 'docs/choosing-a-model.md': choosing, 'README.md': picture };
  return writePages('quality', svg, pages);
}
