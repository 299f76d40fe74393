import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import ts from 'typescript';
import type { Graph } from './cycles.js';

/** One name that a `use` brings in. */
interface Use {
  /** As it is written: `crate`, `super`, `self`, a module or a crate first. */
  path: string[];
  /** What it is called here; `*` for all of a module. */
  name: string;
  /** Whether others see it here, too. */
  exported: boolean;
}

interface Module {
  file: string;
  path: string[];
  uses: Use[];
  /** The source without comments, strings, tests and `use`. */
  rest: string;
}

/** Takes out what is no code: comments and strings. Positions are not kept. */
function stripped(source: string): string {
  // One expression, so that whatever begins first wins: a comment may hold quotes, and a string the signs of a comment.
  const noCode =
    /\/\/[^\n]*|\/\*[\s\S]*?\*\/|\bb?r(#*)"[\s\S]*?"\1|"(?:[^"\\]|\\[\s\S])*"|'(?:[^'\\\n]|\\[^\n]{1,8}?)'/g;
  return source.replace(noCode, ' ');
}

/** Takes out modules that exist only for tests, which may look at anything. */
function withoutTests(source: string): string {
  const begin = /#\[cfg\((?:all\()?test\b[^\]]*\]\s*(?:#\[[^\]]*\]\s*)*(?:pub(?:\([^)]*\))?\s+)?mod\s+\w+\s*(\{|;)/g;
  let result = '';
  let at = 0;
  for (let found = begin.exec(source); found; found = begin.exec(source)) {
    let end = begin.lastIndex;
    for (let depth = found[1] === '{' ? 1 : 0; depth > 0 && end < source.length; end++) {
      if (source[end] === '{') depth++;
      else if (source[end] === '}') depth--;
    }
    result += source.slice(at, found.index);
    at = end;
    begin.lastIndex = end;
  }
  return result + source.slice(at);
}

/** Writes `a::{b, c::{self, d as e}}` out as its paths. */
export function expandUse(tree: string): { path: string[]; name: string }[] {
  const results: { path: string[]; name: string }[] = [];
  const expand = (text: string, before: string[]): void => {
    const open = text.indexOf('{');
    if (open < 0) {
      const [written = '', alias] = text.trim().split(/\s+as\s+/);
      const path = [...before, ...written.split('::').filter(Boolean)];
      if (path.length > 1 && path.at(-1) === 'self') path.pop();
      if (path.length > 0) results.push({ path, name: alias ?? path.at(-1)! });
      return;
    }
    const start = [...before, ...text.slice(0, open).trim().split('::').filter(Boolean)];
    let depth = 0;
    let from = open + 1;
    for (let i = open; i < text.length; i++) {
      const end = text[i] === '}' && depth === 1;
      if (end || (text[i] === ',' && depth === 1)) {
        if (text.slice(from, i).trim()) expand(text.slice(from, i).trim(), start);
        from = i + 1;
      }
      if (text[i] === '{') depth++;
      else if (text[i] === '}') depth--;
    }
  };
  expand(tree.replaceAll(/\s+/g, ' '), []);
  return results;
}

function read(folder: string, file: string): Module {
  const path = file
    .replace(/\.rs$/, '')
    .split('/')
    .filter((part, i, all) => !(i === all.length - 1 && ['mod', 'lib'].includes(part)));
  const source = withoutTests(stripped(readFileSync(join(folder, file), 'utf8')));
  const uses: Use[] = [];
  const rest = source.replace(
    /(\bpub(?:\([^)]*\))?\s+)?\buse\s+([^;]+);/g,
    (_, visible: string | undefined, tree: string) => {
      for (const use of expandUse(tree)) uses.push({ ...use, exported: visible !== undefined });
      return '';
    },
  );
  return { file, path, uses, rest };
}

/**
 * The arrows between the files of a crate: by `use`, and by paths that begin with `crate`, `super` or a child's name. A name that a
 * module exports again leads to the file that defines it, so a `mod.rs` may be a door without being an arrow.
 *
 * @param folder - The crate's `src`.
 * @returns Files relative to the folder.
 */
export function modulesOf(folder: string): Graph {
  const modules = new Map<string, Module>();
  for (const file of ts.sys.readDirectory(folder, ['.rs'])) {
    const module = read(folder, relative(folder, file).replaceAll('\\', '/'));
    modules.set(module.path.join('::'), module);
  }

  /** An absolute path as it is meant inside a module; nothing for another crate. */
  const absolute = (from: Module, path: string[]): string[] | undefined => {
    const [first, ...more] = path;
    if (first === 'crate') return more;
    if (first === 'self') return [...from.path, ...more];
    if (first === 'super') {
      let up = 0;
      while (path[up] === 'super') up++;
      return [...from.path.slice(0, from.path.length - up), ...path.slice(up)];
    }
    return modules.has([...from.path, first].join('::')) ? [...from.path, ...path] : undefined;
  };

  const resolve = (path: string[], seen = new Set<string>()): string | undefined => {
    if (seen.has(path.join('::'))) return undefined;
    seen.add(path.join('::'));
    let length = path.length;
    while (length > 0 && !modules.has(path.slice(0, length).join('::'))) length--;
    const module = modules.get(path.slice(0, length).join('::'));
    const name = path[length];
    if (!module) return undefined;
    const door = module.uses.find((use) => use.exported && use.name === name);
    if (!door) return module.file;
    const target = absolute(module, door.path);
    return target && resolve([...target, ...path.slice(length + 1)], seen);
  };

  const graph = new Map<string, Set<string>>();
  for (const module of modules.values()) {
    const targets = new Set<string>();
    const point = (path: string[]): void => {
      const target = absolute(module, path);
      const file = target && resolve(target);
      if (file !== undefined && file !== module.file) targets.add(file);
    };
    for (const { path, name, exported } of module.uses) {
      // A door that its own module never goes through is no arrow.
      if (!exported || new RegExp(`\\b${name === '*' ? '(?!)' : name}\\b`).test(module.rest)) point(path);
    }
    for (const [path] of module.rest.matchAll(/(?<![\w:])\w+(?:::\w+)+/g)) point(path.split('::'));
    graph.set(module.file, targets);
  }
  return graph;
}

/** The crates of this workspace that a `Cargo.toml` needs to be built; what only its tests need is left out. */
export function dependenciesOf(cargoToml: string): string[] {
  const names: string[] = [];
  let counts = false;
  for (const line of cargoToml.split('\n')) {
    const section = /^\[(.+)\]/.exec(line)?.[1];
    if (section !== undefined) counts = /(^|\.)(build-)?dependencies$/.test(section);
    else if (counts) names.push(...[/^recurra-([\w-]+)/.exec(line)?.[1]].filter((name) => name !== undefined));
  }
  return names;
}
