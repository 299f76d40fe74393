import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

/** The repository. */
export const checkout = fileURLToPath(new URL('../..', import.meta.url));

/** A program of a page, under the name in its first line (`// worker.mjs`), or its number. */
export interface Example {
  page: string;
  name: string;
  code: string;
}

/** The text of a page, by its path in the repository. */
export const pageText = (page: string) => readFileSync(join(checkout, page), 'utf8');

/** A new folder in which examples find the package by its own name. The caller removes it. */
export function exampleFolder(): string {
  mkdirSync(join(checkout, 'target'), { recursive: true });
  return mkdtempSync(join(checkout, 'target', 'guide-'));
}

/** The programs of a page, in its order. */
export function examplesOf(page: string): Example[] {
  return [...pageText(page).matchAll(/^```(ts|js)\n([\s\S]*?)^```$/gm)].map(([, kind, code], i) => ({
    page,
    name: /^\/\/ (\S+\.mjs)\n/.exec(code!)?.[1] ?? `${page.replace(/\W+/g, '-')}-${i + 1}.${kind}`,
    code: code!,
  }));
}

/** What the program says that it prints: the comments behind its `console.log`, in their order. */
export function saidBy({ code }: Example): string[] {
  return [...code.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].map(([, said]) => said!);
}

/** Writes examples into a folder. */
export function writeExamples(folder: string, examples: readonly Example[]): void {
  for (const { name, code } of examples) writeFileSync(join(folder, name), code);
}

/** Runs an example that was written into the folder. */
export function runExample(folder: string, { name }: Example) {
  return spawnSync(process.execPath, ['--import', import.meta.resolve('tsx'), name], { cwd: folder, encoding: 'utf8' });
}

/** The type errors of examples that were written into the folder, as `file: message`. */
export function typeErrors(folder: string, examples: readonly Example[]): string[] {
  const program = ts.createProgram(
    examples.map(({ name }) => join(folder, name)),
    {
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.NodeNext,
      moduleDetection: ts.ModuleDetectionKind.Force,
      types: ['node'],
    },
  );
  return ts
    .getPreEmitDiagnostics(program)
    .map(({ file, messageText }) => `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`);
}
