// The word list as a rule of textlint, for Markdown.

import { findWords } from './words.mjs';

const hide = (text) => text.replace(/[^\n]/g, '\u0001');

/** @type {import('@textlint/types').TextlintRuleModule} */
export const words = (context) => {
  const { Syntax, RuleError, report, getSource, locator } = context;
  const hidden = [];
  const remember = (node) => hidden.push(node.range);
  return {
    [Syntax.Code]: remember,
    [Syntax.CodeBlock]: remember,
    [Syntax.BlockQuote]: remember,
    [Syntax.HtmlBlock](node) {
      if (!/^<!--/.test(getSource(node))) return;
      remember(node);
    },
    [Syntax.DocumentExit](node) {
      let text = getSource(node);
      for (const [from, to] of hidden) text = text.slice(0, from) + hide(text.slice(from, to)) + text.slice(to);
      text = text.replace(/\]\([^)\s]*\)|https?:\/\/\S+/g, (link) => hide(link));
      for (const { index, found, use } of findWords(text)) {
        const padding = locator.range([index, index + found.length]);
        report(node, new RuleError(`"${found}": write ${use}`, { padding }));
      }
    },
  };
};
