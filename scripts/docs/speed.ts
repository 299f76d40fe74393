/**
 * Draws docs/images/speed.svg from docs/benchmarks.md, and writes the same figures into docs/how-it-works.md and the README.
 *
 * `npm run bench -- page` calls it.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';

/** One row of the table in docs/benchmarks.md. */
interface Row {
  work: string;
  against: string;
  ours: number;
  theirs: number;
  ratio: string;
}

/** A bar: what it is of, and texts a second. */
export interface Bar {
  name: string;
  rate: number;
  ours: boolean;
}

const toNumber = (text: string) => Number(text.replaceAll(',', ''));

function tableRows(page: string): Row[] {
  return page
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| work'))
    .map((line) => {
      const cells = line.split(' | ');
      return {
        work: cells[0]!.slice(2),
        against: cells[1]!,
        ours: toNumber(cells[4]!),
        theirs: toNumber(cells[5]!),
        ratio: cells[7]!.replace(/ \|$/, '').replace(/x$/, ''),
      };
    });
}

function row(rows: Row[], work: string, against: string): Row {
  const found = rows.find((each) => each.work.startsWith(work) && each.against.startsWith(against));
  if (!found) throw new Error(`docs/benchmarks.md has no row "${work}" against "${against}"`);
  return found;
}

const LESSON = "lesson's packed LSTM, training, TextClassifier";

/** Everything that is written, from the text of docs/benchmarks.md. */
export function speedFigures(page: string): { svg: string; table: string; picture: string } {
  const rows = tableRows(page);
  const asLesson = row(rows, LESSON, 'PyTorch as the lesson sets it');
  const packed = row(rows, LESSON, "PyTorch's best packed setting with dense Adam (");
  const best = row(rows, LESSON, "PyTorch's best setting of any kind");
  const own = row(rows, "lesson's packed LSTM, training, user-composed", "PyTorch's best packed setting (");
  const one = row(rows, 'one text of 44 tokens', "PyTorch's forward alone, no_grad, 1 thread (");
  const many = row(rows, 'bulk prediction', 'PyTorch');
  const words = row(rows, 'training cost per sample as the vocabulary grows from 5,000 to 500,000', 'itself');
  const bars: Bar[] = [
    { name: 'PyTorch, as the lesson sets it', rate: asLesson.theirs, ours: false },
    { name: 'PyTorch, best packed setting', rate: packed.theirs, ours: false },
    { name: 'PyTorch, best setting of any kind', rate: best.theirs, ours: false },
    { name: 'recurra, your own nn.Module', rate: own.ours, ours: true },
    { name: 'recurra, TextClassifier', rate: asLesson.ours, ours: true },
  ];
  const shown = (value: number) => value.toLocaleString('en-US');
  const table = `| | recurra | PyTorch | |
|---|---|---|---|
| training the lesson's LSTM, texts a second, beside PyTorch as the lesson sets it | ${shown(asLesson.ours)} | ${shown(asLesson.theirs)} | ${asLesson.ratio}x |
| the same, beside PyTorch's best packed setting | ${shown(packed.ours)} | ${shown(packed.theirs)} | ${packed.ratio}x |
| the same, beside PyTorch's best setting of any kind | ${shown(best.ours)} | ${shown(best.theirs)} | ${best.ratio}x |
| the same as your own \`nn.Module\`, beside PyTorch's best packed setting | ${shown(own.ours)} | ${shown(own.theirs)} | ${own.ratio}x |
| labelling one text, microseconds (PyTorch: its forward pass alone) | ${shown(one.ours)} | ${shown(one.theirs)} | ${one.ratio}x |
| labelling many texts, texts a second | ${shown(many.ours)} | ${shown(many.theirs)} | ${many.ratio}x |
| cost of a training step with 500,000 words, over that with 5,000 | ${words.ratio} | | |
`;
  const alt = `Bar chart: texts a second in training the lesson's LSTM on two cores. ${bars.map(({ name, rate }) => `${name}: ${shown(rate)}`).join('; ')}.`;
  return { svg: drawn(bars), table, picture: `![${alt}](docs/images/speed.svg)\n` };
}

/** The chart. It stands on a card of its own, so that it can be read wherever it is shown, and follows the reader's theme. */
function drawn(bars: readonly Bar[]): string {
  const width = 760;
  const left = 250;
  const longest = width - left - 90;
  const most = Math.max(...bars.map(({ rate }) => rate));
  const height = 62 + bars.length * 30 + 12;
  const lines = bars.map(({ name, rate, ours }, i) => {
    const y = 62 + i * 30;
    const length = Math.max(2, (longest * rate) / most);
    return `  <text class="name" x="${left - 12}" y="${y + 15}">${name}</text>
  <rect class="${ours ? 'ours' : 'theirs'}" x="${left}" y="${y}" width="${length.toFixed(1)}" height="20" rx="3"/>
  <text x="${(left + length + 8).toFixed(1)}" y="${y + 15}">${rate.toLocaleString('en-US')}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title">
  <title id="title">Texts a second in training the lesson's LSTM</title>
  <style>
    text { font: 14px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328 }
    .head { font-weight: 600 }
    .small { font-size: 12px; fill: #59636e }
    .name { text-anchor: end }
    .card { fill: #ffffff; stroke: #d1d9e0 }
    .ours { fill: #0969da }
    .theirs { fill: #8c959f }
    @media (prefers-color-scheme: dark) {
      text { fill: #f0f6fc }
      .small { fill: #9198a1 }
      .card { fill: #151b23; stroke: #3d444d }
      .ours { fill: #4493f8 }
      .theirs { fill: #656c76 }
    }
  </style>
  <rect class="card" x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8"/>
  <text class="head" x="16" y="26">Training the lesson's LSTM: texts a second</text>
  <text class="small" x="16" y="45">Two CPU cores, 95,812 words, batches of 16, dense Adam; longer is faster</text>
${lines.join('\n')}
</svg>
`;
}

/** `text` with what stands between the markers replaced. */
export function replaced(text: string, content: string): string {
  const between = /(<!-- (?:table|picture) of scripts\/docs\/speed.ts -->\n)[\s\S]*?(<!-- end -->)/;
  if (!between.test(text)) throw new Error('The page has no place for the figures');
  return text.replace(between, (_, begin: string, end: string) => begin + content + end);
}

/** Writes the three files. */
export function writeSpeed(): void {
  const { svg, table, picture } = speedFigures(readFileSync('docs/benchmarks.md', 'utf8'));
  mkdirSync('docs/images', { recursive: true });
  writeFileSync('docs/images/speed.svg', svg);
  for (const [file, content] of Object.entries({ 'docs/how-it-works.md': table, 'README.md': picture })) {
    writeFileSync(file, replaced(readFileSync(file, 'utf8'), content));
  }
}
