// Writes the tables of options in the guides from the tables in the code: node --import tsx scripts/docs/options.ts
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defaultText, type Option, type OptionTable } from '../../src/core/options/table.js';
import { ROWS } from '../../src/data/readers/options.js';
import { IMPORT } from '../../src/import/options.js';
import { DOUBT, INSPECT } from '../../src/inspection/options.js';
import { SUBWORDS as CLASSIFIER_SUBWORDS } from '../../src/models/classifier/network.js';
import { CLASSIFIER } from '../../src/models/classifier/options.js';
import { COMPRESS } from '../../src/models/compression/index.js';
import { LANGUAGE } from '../../src/models/language/options.js';
import { GENERATE } from '../../src/models/language/sampling.js';
import { SEQ2SEQ } from '../../src/models/seq2seq/options.js';
import { TRANSLATE } from '../../src/models/seq2seq/prediction.js';
import { SERVING } from '../../src/models/serving/options.js';
import { SUBWORDS } from '../../src/models/tagger/network.js';
import { TAGGER } from '../../src/models/tagger/options.js';
import { REPORT } from '../../src/report/options.js';
import { SERVER } from '../../src/serve/options.js';
import { LEARN_VECTORS } from '../../src/text/learned/options.js';
import { CHECKPOINT } from '../../src/training/checkpoints/options.js';
import { SEARCH } from '../../src/tuning/options.js';

/** The guides, and the table that each marked section has. */
export const SECTIONS: Readonly<Record<string, Readonly<Record<string, OptionTable>>>> = {
  'docs/data.md': { rows: ROWS },
  'docs/tuning.md': { tune: SEARCH },
  'docs/inspecting.md': { inspect: INSPECT, doubt: DOUBT },
  'docs/reporting.md': { report: REPORT },
  'docs/training.md': { subwords: CLASSIFIER_SUBWORDS, train: CLASSIFIER },
  'docs/serving.md': { serving: SERVING, server: SERVER },
  'docs/checkpoints.md': { checkpoint: CHECKPOINT },
  'docs/vectors.md': { vectors: LEARN_VECTORS },
  'docs/exporting.md': { import: IMPORT },
  'docs/tagging.md': { tagger: TAGGER, subwords: SUBWORDS },
  'docs/language.md': { generate: GENERATE, language: LANGUAGE },
  'docs/compressing.md': { compress: COMPRESS },
  'docs/seq2seq.md': { translate: TRANSLATE, seq2seq: SEQ2SEQ },
};

/** A default as a guide writes it. */
function shown(row: Option): string {
  const words = defaultText(row, (value) => value.toLocaleString('en-US', { maximumFractionDigits: 6 }));
  if (words === undefined) return 'none';
  const code = row.defaultText === undefined && typeof row.default !== 'number';
  return code ? `\`${typeof row.default === 'string' ? `'${words}'` : words}\`` : words;
}

/** What an option means, with its choices. */
function meaning({ help, guide = help, kind }: Option): string {
  const choices = kind.choices?.map((choice) => `\`'${choice}'\``).join(', ');
  return (choices ? `${guide}: ${choices}` : guide).replaceAll('|', '\\|');
}

/** A table of options in Markdown. */
export function markdown(table: OptionTable): string {
  const rows = Object.entries(table).map(([name, row]) => `| \`${name}\` | ${shown(row)} | ${meaning(row)} |`);
  return ['| option | default | meaning |', '|---|---|---|', ...rows].join('\n');
}

/** A guide with its marked sections written from the code. */
export function withTables(page: string, text: string): string {
  return text.replace(
    /(<!-- options: (\w+) -->\n)[\s\S]*?(<!-- end of options -->)/g,
    (_, open: string, name: string, close: string) => `${open}\n${markdown(SECTIONS[page]![name]!)}\n\n${close}`,
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const page of Object.keys(SECTIONS)) {
    const path = fileURLToPath(new URL(`../../${page}`, import.meta.url));
    writeFileSync(path, withTables(page, readFileSync(path, 'utf8')));
  }
}
