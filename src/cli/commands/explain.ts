import ansis, { Ansis } from 'ansis';
import { counted } from '../../core/counted.js';
import { constraint } from '../../core/errors.js';
import { printable, shownLabels } from '../../core/printable.js';
import { jsonLine, percent } from '../../core/terminal.js';
import { EXPLAIN, type ExplainedToken, type Explanation } from '../../models/classifier/explain.js';
import { givenOptions } from '../flags.js';
import { EXIT } from '../output.js';
import { loadModel } from '../tasks.js';

/** Flags of `recurra explain`. */
export interface ExplainFlags {
  json?: boolean;
}

/** Lines of the table. Later rows add little, and `--json` lists all of them. */
const TABLE_ROWS = 20;
const BAR = 20;

/** The library treats a CI job as a terminal, but escape codes do not belong in a file or a pipe unless requested. */
const paint = process.stdout.isTTY || process.env.FORCE_COLOR !== undefined ? ansis : new Ansis(0);

/** Blue is evidence for the label, red against it: a pair that colour-blind readers can distinguish. */
function coloured(text: string, share: number): string {
  const strength = Math.abs(share);
  if (strength < 0.05) return text;
  const [plain, filled] = share > 0 ? [paint.blue, paint.bgBlue.white.bold] : [paint.red, paint.bgRed.white.bold];
  if (strength >= 0.5) return filled(text);
  return strength >= 0.2 ? plain.bold(text) : plain(text);
}

/** The text with its tokens coloured; tokens that were not read are struck through, unknown ones underlined. */
function colouredText(text: string, tokens: readonly ExplainedToken[], largest: number): string {
  let shown = '';
  let at = 0;
  for (const { start, end, contribution, known, read } of tokens) {
    if (start === undefined || end === undefined || start < at) continue;
    let piece = printable(text.slice(start, end));
    if (!known) piece = paint.underline(piece);
    shown +=
      printable(text.slice(at, start)) +
      (read ? coloured(piece, contribution / largest) : paint.strikethrough.dim(piece));
    at = end;
  }
  return shown + printable(text.slice(at));
}

function table(tokens: readonly ExplainedToken[], largest: number): string[] {
  const read = tokens.filter((token) => token.read);
  const sorted = [...read].sort(
    (a, b) => Math.abs(b.contribution) - Math.abs(a.contribution) || a.position - b.position,
  );
  const lines = sorted.slice(0, TABLE_ROWS).map(({ token, source, contribution, known }) => {
    const share = contribution / largest;
    const bar = (share > 0 ? '+' : '-').repeat(Math.round(Math.abs(share) * BAR)).padEnd(BAR);
    const number = `${contribution < 0 ? '' : '+'}${contribution.toFixed(4)}`.padStart(10);
    return `${number}  ${coloured(bar, share)}  ${printable(source ?? token)}${known ? '' : '  (unknown word)'}`;
  });
  if (sorted.length > TABLE_ROWS)
    lines.push(`${sorted.length - TABLE_ROWS} smaller ones are not shown; --json has all`);
  const cut = tokens.length - read.length;
  if (cut > 0)
    lines.push(
      `${counted(cut, 'token')} ${cut === 1 ? 'was' : 'were'} not read: the text is longer than the model's maxLength`,
    );
  return lines;
}

const MEANING: Record<Explanation['method'], string> = {
  occlusion: 'occlusion: by how much the logit falls without the token',
  gradientInput: 'gradient times input: what each token adds to the logit, to first order',
  linear: 'what the characters of each token add to the score of the linear model',
};

function show(
  text: string,
  labels: readonly string[],
  { label, probability, logit, linear, predicted, method, groupSize = 1, tokens }: Explanation,
): void {
  // If all contributions are zero, nothing is highlighted; avoid dividing by zero.
  const largest = tokens.reduce((most, { contribution }) => Math.max(most, Math.abs(contribution)), 1e-12);
  const shown = shownLabels(labels);
  const name = (of: string) => shown[labels.indexOf(of)] ?? printable(of);
  const other = predicted === label ? '' : `, predicted is ${name(predicted)}`;
  const lines = [
    `${paint.bold(name(label))}  ${percent(probability)}  logit ${logit.toFixed(4)}${other}`,
    MEANING[method],
    ...(groupSize > 1
      ? [`the text is long: ${groupSize} tokens were removed at a time, and share the fall equally`]
      : []),
    ...(linear === undefined || method === 'linear'
      ? []
      : [`the network's part; the linear model adds ${linear.toFixed(4)} (--json has its parts)`]),
    '',
  ];
  if (paint.isSupported()) lines.push(colouredText(text, tokens, largest), '');
  if (tokens.length === 0) lines.push('the text has no tokens: the model read it as one unknown word');
  process.stdout.write(`${[...lines, ...table(tokens, largest)].join('\n')}\n`);
}

/** `recurra explain`: shows what each token of a text contributed. */
export async function explainCommand(modelFile: string, texts: string[], flags: ExplainFlags): Promise<number> {
  const [text = ''] = texts;
  if (texts.length > 1)
    throw constraint(
      'text',
      `recurra explain takes one text but received ${texts.length}; put the text in quotes: recurra explain ${modelFile} ${JSON.stringify(texts.join(' '))}`,
    );
  // Models of other kinds are refused with an error that names their kind.
  const model = await loadModel('explain', modelFile);
  const explanation = await model.explain(text, givenOptions(EXPLAIN, flags));
  if (flags.json) jsonLine({ event: 'explanation', text, ...explanation });
  else show(text, model.labels, explanation);
  return EXIT.ok;
}
