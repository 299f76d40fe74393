import { spawnSync } from 'node:child_process';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as recurra from '../../src/index.js';
import * as lesson from '../../src/lesson/index.js';
import * as torch from '../../src/torch/index.js';
import { checkout, type Example, exampleFolder, pageText, typeErrors, writeExamples } from '../support/guide.js';
import { torchHalf } from '../support/halves.mjs';

/** What examples take for granted, so that each can be a few lines. */
const CONTEXT: Record<string, string> = {
  rows: 'recurra.LabelledText[]',
  texts: 'string[]',
  model: 'recurra.TextClassifier',
  languageModel: 'recurra.LanguageModel',
  vocab: 'recurra.Vocab',
  data: 'recurra.EncodedDataset',
  net: 'torch.nn.Linear',
  optimizer: 'torch.optim.Adam',
  loss: 'torch.Tensor',
  logits: 'torch.Tensor',
  target: 'torch.Tensor',
  x: 'torch.Tensor',
  lengths: 'number[]',
  classifier: 'torch.Classifier',
  tagger: 'recurra.TextTagger',
  tagRows: 'recurra.TagRow[]',
  seq2seq: 'recurra.Seq2Seq',
};

/** What examples import without saying so. */
const ENTRIES = [
  { from: 'recurra', exports: [...Object.keys(recurra), 'LabelledText'] },
  { from: 'recurra/torch', exports: Object.keys(torch) },
  { from: 'recurra/lesson', exports: Object.keys(lesson) },
];

const files = readdirSync(join(checkout, 'src'), { recursive: true, encoding: 'utf8' })
  // `recurra-web` is another package; test/web runs the program of its guide.
  .filter((file) => file.endsWith('.ts') && !file.startsWith('web'))
  .sort();

/** An example of a doc comment, with what it needs to be a program. */
interface ReferenceExample extends Example {
  /** Names of {@link CONTEXT} that it takes for granted: it compiles, but cannot run. */
  taken: string[];
}

/** The names that a program has as identifiers, outside of comments, strings and property accesses. */
function namesIn(code: string): Set<string> {
  const bare = code
    .replace(/\/\/.*$/gm, '')
    .replace(/'[^'\n]*'|"[^"\n]*"/g, "''")
    .replace(/(?<!\.)\.\s*\w+/g, '');
  return new Set(bare.match(/[A-Za-z_]\w*/g));
}

function referenceExamples(): ReferenceExample[] {
  return files.flatMap((file) => {
    const comments = pageText(`src/${file}`).match(/\/\*\*[\s\S]*?\*\//g) ?? [];
    const blocks = comments.flatMap((comment) => {
      const plain = comment.replace(/^[ \t]*\*( |$)/gm, '');
      return [...plain.matchAll(/@example\n\s*```ts\n([\s\S]*?)```/g)].map(([, code]) => code!);
    });
    return blocks.map((code, i): ReferenceExample => {
      const names = namesIn(code);
      const declared = new Set(
        [...code.matchAll(/(?:const|let|using|class|function)\s+(\{[^}]*\}|\[[^\]]*\]|\w+)/g)].flatMap(
          ([, name]) => name!.match(/\w+/g) ?? [],
        ),
      );
      const taken = Object.keys(CONTEXT).filter((name) => names.has(name) && !declared.has(name));
      const used = (exports: readonly string[]) =>
        exports.filter((name) => names.has(name) && !declared.has(name) && !/^import/m.test(code));
      const imports = ENTRIES.map(({ from, exports }) => ({ from, used: used(exports) }));
      const head = [
        ...imports
          .filter(({ used }) => used.length > 0)
          .map(({ from, used }) => `import { ${used.join(', ')} } from '${from}';`),
        ...(taken.length > 0
          ? ["import type * as recurra from 'recurra';", "import type * as torch from 'recurra/torch';"]
          : []),
        ...taken.map((name) => `declare const ${name}: ${CONTEXT[name]};`),
      ];
      return {
        page: `src/${file}`,
        name: `${file.replace(/\W+/g, '-')}-${i + 1}.ts`,
        code: `${head.join('\n')}\n${code}`,
        taken,
      };
    });
  });
}

/** Makes of `expression; // value` a comparison of the two; what is no value is a remark. */
function withChecks(code: string): string {
  return code.replace(/^(?!const|let|\/\/)(.+); \/\/ (.*)$/gm, (line, expression: string, said: string) => {
    const about = /^-?\d+\.\d+\.\.\.$/.test(said);
    if (!about && (said.includes('...') || !/^[[{'"\d-]|^(true|false|undefined)$/.test(said))) return line;
    return about
      ? `same(String(${expression}).startsWith('${said.slice(0, -3)}'), true);`
      : `same(${expression}, (${said}));`;
  });
}

const folder = exampleFolder();
const examples = referenceExamples();
beforeAll(() => writeExamples(folder, examples));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the examples of the reference', () => {
  it('are there for what people use', () => {
    expect(examples.length).toBeGreaterThan(90);
  });

  it('compile', () => expect(typeErrors(folder, examples)).toEqual([]), 120_000);

  it('that take nothing for granted run, and give what they say', () => {
    const needsFile =
      /readCsv|readRows|readTexts|readJsonLines|readFastText|readParquet|readConllu?|readTags|readSpans|agNews|readWholeText|LanguageModel|fromFile|\.load\(|loadFile|SummaryWriter/;
    const needsTorch = /'recurra\/(torch|lesson)'/;
    const run = examples.filter(
      ({ taken, code }) => taken.length === 0 && !needsFile.test(code) && (torchHalf || !needsTorch.test(code)),
    );
    expect(run.length).toBeGreaterThan(torchHalf ? 40 : 10);
    const same =
      "import { deepStrictEqual as equal } from 'node:assert';\nconst same = (a: unknown, b: unknown) => equal(typeof a === 'object' && a !== null ? JSON.parse(JSON.stringify(a)) : a, b);\n";
    for (const { name, code } of run) writeFileSync(join(folder, `run-${name}`), same + withChecks(code));
    const all = run.map(({ name }) => `await import('./run-${name}').catch((e) => fail('${name}', e));`);
    writeFileSync(
      join(folder, 'all.mts'),
      `const fail = (name: string, error: Error) => { console.error(name, error.message); process.exitCode = 1; };\n${all.join('\n')}\n`,
    );
    const { stderr, status } = spawnSync(process.execPath, ['--import', import.meta.resolve('tsx'), 'all.mts'], {
      cwd: folder,
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    expect(status).toBe(0);
  }, 120_000);
});
