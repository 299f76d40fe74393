import { constraint } from '../../core/errors.js';
import { printable } from '../../core/printable.js';
import { jsonLine } from '../../core/terminal.js';
import type { Tokens, UnlabelledText } from '../../data/readers/rows.js';
import { readTokenLines } from '../../data/readers/tokenLines.js';
import type { TaggedSpan, Tagging } from '../../models/tagger/prediction.js';
import type { TextTagger } from '../../models/tagger/tagger.js';
import { placeOf } from '../answering.js';
import { openFor } from '../modelColumns.js';
import { EXIT } from '../output.js';
import { givenTextFlags, openTextsOrTokens, type TextFlags } from '../rows.js';
import { outputDrained, outputLost } from '../streams.js';
import { TAGGED } from '../tasks.js';
import { answerRows, BLOCK, onOneLine } from './textBlocks.js';

/** Flags of `recurra predict` for a tagger. */
export interface TagPredictFlags extends TextFlags {
  file?: string;
  json?: boolean;
}

/** Converts spans of tokens into spans of the text that joins the tokens by spaces. */
function inText(tokens: readonly string[], spans: readonly TaggedSpan[]): TaggedSpan[] {
  const starts: number[] = [];
  let at = 0;
  for (const token of tokens) {
    starts.push(at);
    at += token.length + 1;
  }
  return spans.map((span) => {
    const last = span.end - 1;
    return { ...span, start: starts[span.start]!, end: starts[last]! + tokens[last]!.length };
  });
}

/** A text, or tokens, with its spans in brackets, each with its label and its probability. */
function marked(given: string | undefined, answer: Tagging, entities: boolean): string {
  const { tags, tokens } = answer;
  if (!entities) return tokens.map((token, i) => `${token}/${tags[i]}`).join(' ');
  const text = given ?? tokens.join(' ');
  const spans = given === undefined ? inText(tokens, answer.spans) : answer.spans;
  let at = 0;
  let line = '';
  for (const { start, end, label, probability } of spans) {
    line += `${text.slice(at, start)}[${text.slice(start, end)}](${label} ${(100 * probability).toFixed(1)} %)`;
    at = end;
  }
  return line + text.slice(at);
}

/** Tags texts from the arguments, a file, or standard input; a file of tokens is written back with a column of tags. */
export async function predictTags(model: TextTagger, texts: string[], flags: TagPredictFlags): Promise<number> {
  const { file = texts.length > 0 ? undefined : '-', json = false } = flags;
  if (file !== undefined && TAGGED.test(file)) {
    const [useless] = givenTextFlags(flags);
    if (useless !== undefined) throw constraint('file', `${file} has one token per line, so ${useless} does not apply`);
    return tagFile(model, file, json);
  }
  const given =
    file === undefined
      ? texts.map((text): UnlabelledText => ({ text }))
      : openFor(model, openTextsOrTokens, file, flags);
  await answerRows<UnlabelledText | Tokens, Tagging>(
    given,
    flags,
    file === '-',
    (rows) => model.predictMany(rows.map((row) => ('tokens' in row ? row.tokens : row.text))),
    (row, answer) => {
      const text = 'tokens' in row ? undefined : row.text;
      if (json)
        jsonLine({
          event: 'prediction',
          ...(text === undefined ? {} : { text }),
          ...placeOf(row),
          ...answer,
        });
      else process.stdout.write(`${printable(onOneLine(marked(text, answer, model.scheme !== undefined)))}\n`);
    },
  );
  return EXIT.ok;
}

/**
 * Writes the lines of a file unchanged, each token line with the predicted tag appended.
 *
 * @param json - Whether to write a JSON line for each sentence instead.
 */
async function tagFile(model: TextTagger, file: string, json: boolean): Promise<number> {
  let block: { lines: readonly string[]; tokens: readonly (string | undefined)[]; separator: string }[] = [];
  const flush = async () => {
    const sentences = block.map(({ tokens }) => tokens.filter((token) => token !== undefined));
    const answers: Tagging[] = await model.predictMany(sentences);
    for (const [index, { lines, tokens, separator }] of block.entries()) {
      if (outputLost()) break;
      const answer = answers[index]!;
      const { tags } = answer;
      if (json) {
        // Comments and blank lines are not sentences.
        if (tags.length > 0) jsonLine({ event: 'prediction', ...answer });
        if (process.stdout.writableNeedDrain) await outputDrained();
        continue;
      }
      let next = 0;
      const written = lines.map((line, i) => {
        if (tokens[i] !== undefined) return `${line}${separator}${tags[next++]}`;
        // Word ranges and empty nodes get the extra column too, so that all lines have the same number of columns.
        return separator === '\t' && /^\d+[-.]\d+\t/.test(line) ? `${line}\t_` : line;
      });
      process.stdout.write(`${written.join('\n')}\n`);
      if (process.stdout.writableNeedDrain) await outputDrained();
    }
    block = [];
  };
  for await (const sentence of readTokenLines(file)) {
    if (outputLost()) return EXIT.ok;
    block.push(sentence);
    if (block.length === BLOCK) await flush();
  }
  await flush();
  return EXIT.ok;
}
