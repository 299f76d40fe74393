import { describe, expect, it } from 'vitest';
import { SECTIONS, withTables } from '../../scripts/docs/options.js';
import { createProgram } from '../../src/cli/program.js';
import { defaultText, type Option, type OptionTable } from '../../src/core/options/table.js';
import { LABEL_PREFIX, LABEL_SEPARATOR, ROWS, TABLE_TEXT, TEXTS } from '../../src/data/readers/options.js';
import { NETWORK } from '../../src/engine/network.js';
import { EVALUATION } from '../../src/models/classifier/evaluate.js';
import { EXPLAIN } from '../../src/models/classifier/explain.js';
import { HEAD } from '../../src/models/classifier/network.js';
import { CLASSIFIER } from '../../src/models/classifier/options.js';
import { LOAD } from '../../src/models/load.js';
import { SERVING } from '../../src/models/serving/options.js';
import { SERVER } from '../../src/serve/options.js';
import { LEARN_VECTORS } from '../../src/text/learned/options.js';
import { TEXT } from '../../src/text/options.js';
import { CHECKPOINT } from '../../src/training/checkpoints/options.js';
import { LEARNING } from '../../src/training/options/learning.js';
import { RUN } from '../../src/training/options/train.js';
import { pageText } from '../support/guide.js';

describe('the guides', () => {
  it.each(Object.keys(SECTIONS))('%s has the tables of the code', (page) => {
    const text = pageText(page);
    for (const name of Object.keys(SECTIONS[page]!)) expect(text).toContain(`<!-- options: ${name} -->`);
    expect(withTables(page, text), 'run node --import tsx scripts/docs/options.ts and commit what it writes').toBe(
      text,
    );
  });
});

/** The doc comment of a property in a source file. */
function commentOf(source: string, name: string): string {
  const comment = new RegExp(`/\\*\\*((?:(?!\\*/)[\\s\\S])*)\\*/\\s*${name}\\?: `).exec(source)?.[1];
  expect(comment, `${name} has a doc comment`).toBeDefined();
  return comment!.replace(/\s*\n\s*\* ?/g, ' ').replace(/[`']/g, '');
}

/** A default as doc comments write it. */
function documented(row: Option): string | undefined {
  return defaultText(row, (value) => value.toLocaleString('en-US', { maximumFractionDigits: 6 }));
}

describe('the doc comments', () => {
  const tables: [string, OptionTable][] = [
    ['src/data/readers/options.ts', { ...LABEL_SEPARATOR, ...LABEL_PREFIX, ...TABLE_TEXT }],
    ['src/engine/network.ts', NETWORK],
    ['src/text/options.ts', TEXT],
    ['src/text/learned/options.ts', LEARN_VECTORS],
    ['src/training/options/learning.ts', LEARNING],
    ['src/training/options/train.ts', RUN],
    ['src/training/checkpoints/options.ts', CHECKPOINT],
    ['src/models/serving/options.ts', SERVING],
    ['src/serve/options.ts', SERVER],
    ['src/models/load.ts', LOAD],
    ['src/models/classifier/explain.ts', EXPLAIN],
    ['src/models/classifier/network.ts', HEAD],
    [
      'src/models/classifier/options.ts',
      Object.fromEntries(
        Object.entries(CLASSIFIER).filter(([name]) => ['classWeights', 'labelSmoothing'].includes(name)),
      ),
    ],
  ];

  it.each(tables)('of %s have the defaults of the table', (file, table) => {
    const source = pageText(file);
    for (const [name, row] of Object.entries(table)) {
      const words = documented(row);
      if (words === undefined || words === 'required') continue;
      expect(commentOf(source, name).replace('Default: ', 'Default '), name).toContain(`Default ${words}`);
    }
  });
});

/** The options but for two whose flags say more than the option: --header and --no-header, --skip-bad-rows. */
function withoutHandWritten({ header: _, onBadRow: __, ...rest }: OptionTable): OptionTable {
  return rest;
}

function without(name: string, { [name]: _, ...rest }: OptionTable): OptionTable {
  return rest;
}

describe('the command line', () => {
  const command = (name: string) => createProgram(() => {}).commands.find((each) => each.name() === name)!;

  it.each([
    ['train', CLASSIFIER],
    ['vectors', LEARN_VECTORS],
    ['train', withoutHandWritten(ROWS)],
    // Groups matter where rows are split.
    ['evaluate', without('group', withoutHandWritten(ROWS))],
    // Its flag has further help.
    ['predict', without('keep', withoutHandWritten(TEXTS))],
    ['serve', { ...SERVING, ...SERVER }],
    ['explain', EXPLAIN],
    ['evaluate', EVALUATION],
  ] as [string, OptionTable][])('recurra %s has a flag for each option that has one', (name, table) => {
    const help = command(name).helpInformation().replace(/\s+/g, ' ');
    let flags = 0;
    for (const [option, row] of Object.entries(table)) {
      const long = `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
      const flag = command(name).options.find(
        (each) => each.long === long || each.long === long.replace('--', '--no-'),
      );
      expect(flag !== undefined, option).toBe(row.flag !== undefined);
      if (!flag) continue;
      flags++;
      const words = defaultText(row);
      if (words !== undefined && words !== 'none' && row.flag !== '') expect(help).toContain(`(default: ${words})`);
      expect(help).toContain((row.flagHelp ?? row.help).replaceAll('`', ''));
    }
    expect(flags).toBeGreaterThan(0);
  });
});
