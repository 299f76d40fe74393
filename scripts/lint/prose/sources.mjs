// The prose of a source: its comments, and the texts in quotes that people read.
//
// The result has the length and the lines of the source, so that a place in one is the same place in the other. What is
// not prose is hidden: each of its characters becomes HIDDEN, except line ends.

import ts from 'typescript';

const HIDDEN = '\0';
/** Stands for code inside prose: a word that no pattern matches. */
const CODE = '\u0001';

/** A text that is a sentence rather than a name or a path: three words at least. */
const SENTENCE = /\p{L}{2,}[,:;]?\s+\S+\s+\S*\p{L}{2,}/u;

/** Replaces every character but line ends, so that length and lines stay. */
const hide = (text, by) => text.replace(/[^\n]/g, by);

/** Hides marks and code of comments; what is left of a block reads as one text. */
function strip(comment) {
  return comment
    .replace(/```[\s\S]*?```/g, (code) => hide(code, HIDDEN))
    .replace(/^([ \t]*)(\/\/[/!]?|\/\*\*?|\*(?!\/)|#|""")/gm, (mark) => ' '.repeat(mark.length))
    .replace(/\*\/$/, '  ')
    .replace(/`[^`\n]*`|\{@link [^}]*\}|https?:\/\/\S+/g, (code) => hide(code, CODE));
}

/** A quoted text without its quotes and placeholders. */
function stripQuotes(text) {
  return text
    .replace(/\$\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}/g, (code) => hide(code, CODE))
    .replace(/\\n/g, '  ')
    .replace(/^[rb]*#*["'`]|["'`]#*$/g, (mark) => ' '.repeat(mark.length));
}

/** The source with `comments` and `texts`, spans [from, to), cleaned and everything else hidden. */
function merged(source, comments, texts) {
  const spans = [...comments.map((span) => [...span, strip]), ...texts.map((span) => [...span, stripQuotes])];
  spans.sort((a, b) => a[0] - b[0]);
  let out = '';
  let at = 0;
  for (const [from, to, clean] of spans) {
    if (from < at) continue;
    // White space between two comments joins them: a sentence runs on to the next line.
    const between = source.slice(at, from);
    out += between.trim() === '' ? between : hide(between, HIDDEN);
    out += clean(source.slice(from, to));
    at = to;
  }
  return out + hide(source.slice(at), HIDDEN);
}

/**
 * @param {string} source - TypeScript or JavaScript
 * @returns {string} its prose, at the same places
 */
export function proseOfTypeScript(source) {
  const comments = [];
  const texts = [];
  const file = ts.createSourceFile('source.ts', source, ts.ScriptTarget.Latest, true);
  const seen = new Set();
  const commentsBefore = (position) => {
    for (const range of ts.getLeadingCommentRanges(source, position) ?? []) add(range);
    for (const range of ts.getTrailingCommentRanges(source, position) ?? []) add(range);
  };
  const add = ({ pos, end }) => {
    if (seen.has(pos)) return;
    seen.add(pos);
    comments.push([pos, end]);
  };
  const visit = (node) => {
    if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node) || ts.isTemplateExpression(node)) {
      const from = node.getStart(file);
      if (!ts.isImportDeclaration(node.parent) && SENTENCE.test(source.slice(from, node.end)))
        texts.push([from, node.end]);
    }
    const children = node.getChildren(file);
    if (children.length === 0) {
      if (node.kind !== ts.SyntaxKind.JsxText) commentsBefore(node.getFullStart());
      commentsBefore(node.end);
    }
    for (const child of children) if (!ts.isJSDoc(child)) visit(child);
  };
  visit(file);
  return merged(source, comments, texts);
}

const RUST_TOKEN =
  /(\/\/[^\n]*)|(\/\*[\s\S]*?\*\/)|(b?r(#*)"[\s\S]*?"\4)|(b?"(?:[^"\\]|\\[\s\S])*")|('(?:[^'\\\n]|\\[^\n]{1,8}?)')/g;

/**
 * @param {string} source - Rust
 * @returns {string} its prose, at the same places
 */
export function proseOfRust(source) {
  const comments = [];
  const texts = [];
  for (const match of source.matchAll(RUST_TOKEN)) {
    const span = [match.index, match.index + match[0].length];
    if (match[1] !== undefined || match[2] !== undefined) comments.push(span);
    else if ((match[3] !== undefined || match[5] !== undefined) && SENTENCE.test(match[0])) texts.push(span);
  }
  return merged(source, comments, texts);
}

/**
 * @param {string} source - Python, or a script of a shell
 * @returns {string} its comments, at the same places
 */
export function proseOfScript(source) {
  const comments = source.matchAll(/(?<=^|\s)#(?!!)[^\n]*|"""[\s\S]*?"""/g);
  return merged(
    source,
    [...comments].map(({ index, 0: text }) => [index, index + text.length]),
    [],
  );
}
