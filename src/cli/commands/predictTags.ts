import { constraint } from '../../core/errors.js';
import { printable } from '../../core/printable.js';
import { jsonLine, note } from '../../core/terminal.js';
import type { UnlabelledText } from '../../data/readers/rows.js';
import { readTokenLines } from '../../data/readers/tokenLines.js';
import type { Tagging, TextTagging } from '../../models/tagger/prediction.js';
import type { TextTagger } from '../../models/tagger/tagger.js';
import { EXIT } from '../output.js';
import { givenTextFlags, noteSkipped, noteWarnings, openTexts, type TextFlags } from '../rows.js';
import { outputDrained, outputLost } from '../streams.js';
import { TAGGED } from '../tasks.js';

/** Texts, or sentences of a file, that are tagged together. */
const BLOCK = 1_024;

/** Flags of `recurra predict` for a tagger. */
export interface TagPredictFlags extends TextFlags {
  file?: string;
  json?: boolean;
}

/** A text with its spans in brackets, each with its label and its probability. */
function marked(text: string, { spans, tags, tokens }: TextTagging, entities: boolean): string {
  if (!entities) return tokens.map((token, i) => `${token}/${tags[i]}`).join(' ');
  let at = 0;
  let line = '';
  for (const { start, end, label, probability } of spans) {
    line += `${text.slice(at, start)}[${text.slice(start, end)}](${label} ${(100 * probability).toFixed(1)} %)`;
    at = end;
  }
  return line + text.slice(at);
}

/** Tags texts from the arguments, a file, or standard input; a file of tokens gets its tags as one column more. */
export async function predictTags(model: TextTagger, texts: string[], flags: TagPredictFlags): Promise<number> {
  const { file = texts.length > 0 ? undefined : '-', json = false } = flags;
  if (file !== undefined && TAGGED.test(file)) {
    const [useless] = givenTextFlags(flags);
    if (useless !== undefined)
      throw constraint('file', `${file} has a token on each line, so ${useless} does not apply to it`);
    return tagFile(model, file, json);
  }
  const interactive = file === '-' && process.stdin.isTTY;
  if (interactive) note('recurra: one text per line, Ctrl-D ends');
  const rows = file === undefined ? undefined : openTexts(file, flags);
  let block: UnlabelledText[] = [];
  const flush = async () => {
    const answers = await model.predictMany(block.map(({ text }) => text));
    for (const [index, answer] of answers.entries()) {
      if (outputLost()) break;
      const { text, line } = block[index]!;
      // Rows may have been left out: the line says which one this is.
      if (json) jsonLine({ event: 'prediction', text, ...(line === undefined ? {} : { line }), ...answer });
      else
        process.stdout.write(
          `${printable(marked(text, answer, model.scheme !== undefined).replace(/\s*[\r\n]+\s*/g, ' '))}\n`,
        );
      if (process.stdout.writableNeedDrain) await outputDrained();
    }
    block = [];
  };
  for await (const row of rows ?? texts.map((text): UnlabelledText => ({ text }))) {
    if (outputLost()) return EXIT.ok;
    block.push(row);
    if (interactive || block.length === BLOCK) await flush();
  }
  if (block.length > 0) await flush();
  if (rows) {
    noteSkipped(rows);
    noteWarnings(rows, json);
  }
  return EXIT.ok;
}

/**
 * Writes the lines of a file as they are, each of a token with the tag that the model gives it.
 *
 * @param json - Whether to write a JSON line for each sentence in their place.
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
        // Comments and blank lines are no sentence.
        if (tags.length > 0) jsonLine({ event: 'prediction', ...answer });
        if (process.stdout.writableNeedDrain) await outputDrained();
        continue;
      }
      let next = 0;
      const written = lines.map((line, i) => {
        if (tokens[i] !== undefined) return `${line}${separator}${tags[next++]}`;
        // A range of words and an empty node have a column more as well, so that all lines have as many.
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
