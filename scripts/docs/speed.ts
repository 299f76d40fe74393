/**
 * Draws docs/images/speed.svg from bench/compare/results.json, and writes the same figures into docs/how-it-works.md and the README.
 *
 * `npm run bench -- page` calls it.
 */
import type { Row } from '../../bench/compare/types.js';
import { card, writePages } from './write.js';

/** A bar: its name, and texts per second. */
export interface Bar {
  name: string;
  rate: number;
  ours: boolean;
}

function row(rows: readonly Row[], work: string, against: string): Row {
  const found = rows.find((each) => each.work.startsWith(work) && each.against === against);
  if (!found) throw new Error(`bench/compare/results.json has no row "${work}" against "${against}"`);
  return found;
}

const LESSON = "lesson's packed LSTM, training, TextClassifier";

/** Everything that is written, from the rows of the comparison. */
export function speedFigures(rows: readonly Row[]): { svg: string; table: string; picture: string } {
  const asLesson = row(rows, LESSON, 'PyTorch as the lesson sets it, packed, 2 threads');
  const packed = row(rows, LESSON, "PyTorch's best packed setting with dense Adam");
  const best = row(rows, LESSON, "PyTorch's best setting of any kind with dense Adam (padded, fused)");
  const own = row(rows, "lesson's packed LSTM, training, user-composed", "PyTorch's best packed setting");
  const one = row(rows, 'one text of 44 tokens', "PyTorch's forward alone, no_grad, 1 thread");
  const many = row(rows, 'bulk prediction', 'PyTorch batch 256');
  const words = row(rows, 'training cost per sample as the vocabulary grows from 5,000 to 500,000', 'itself');
  const bars: Bar[] = [
    { name: 'PyTorch, as the lesson sets it', rate: asLesson.theirs, ours: false },
    { name: 'PyTorch, best packed setting', rate: packed.theirs, ours: false },
    { name: 'PyTorch, best setting of any kind', rate: best.theirs, ours: false },
    { name: 'recurra, your own nn.Module', rate: own.ours, ours: true },
    { name: 'recurra, TextClassifier', rate: asLesson.ours, ours: true },
  ];
  const shown = (value: number) =>
    (value >= 100 ? Math.round(value) : Number(value.toPrecision(3))).toLocaleString('en-US');
  const times = ({ ratio }: Row) => ratio.toPrecision(3);
  const table = `| | recurra | PyTorch | |
|---|---|---|---|
| training the lesson's LSTM, texts per second; PyTorch as the lesson sets it | ${shown(asLesson.ours)} | ${shown(asLesson.theirs)} | ${times(asLesson)}x |
| the same; PyTorch's best packed setting | ${shown(packed.ours)} | ${shown(packed.theirs)} | ${times(packed)}x |
| the same; PyTorch's best setting of any kind | ${shown(best.ours)} | ${shown(best.theirs)} | ${times(best)}x |
| the same as your own \`nn.Module\`; PyTorch's best packed setting | ${shown(own.ours)} | ${shown(own.theirs)} | ${times(own)}x |
| labelling one text, microseconds (PyTorch: its forward pass alone) | ${shown(one.ours)} | ${shown(one.theirs)} | ${times(one)}x |
| labelling many texts, texts per second | ${shown(many.ours)} | ${shown(many.theirs)} | ${times(many)}x |
| cost of a training step with 500,000 words, relative to 5,000 | ${times(words)} | | |
`;
  const alt = `Bar chart: texts per second when training the lesson's LSTM on two cores. ${bars.map(({ name, rate }) => `${name}: ${shown(rate)}`).join('; ')}.`;
  return { svg: drawn(bars), table, picture: `![${alt}](docs/images/speed.svg)\n` };
}

/** The chart. */
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
  <text x="${(left + length + 8).toFixed(1)}" y="${y + 15}">${Math.round(rate).toLocaleString('en-US')}</text>`;
  });
  const words = {
    title: "Texts per second when training the lesson's LSTM",
    head: "Training the lesson's LSTM: texts per second",
    note: 'Two CPU cores, 95,812 words, batches of 16, dense Adam; longer is faster',
  };
  return card({ width, height }, words, ['ours', 'theirs'], lines);
}

/** Writes the three files. */
export function writeSpeed(rows: readonly Row[]): void {
  const { svg, table, picture } = speedFigures(rows);
  writePages('speed', svg, { 'docs/how-it-works.md': table, 'README.md': picture });
}
