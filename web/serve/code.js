// A question as code that can be copied.

import { $ } from './dom.js';

/** A string that a POSIX shell takes as it is. */
const shellQuoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

function curl(url, body) {
  const lines = [
    'curl -H "content-type: application/json"',
    `-d ${shellQuoted(JSON.stringify(body))}`,
    shellQuoted(url),
  ];
  return lines.join(' \\\n  ');
}

function javascript(url, body) {
  return `const response = await fetch(${JSON.stringify(url)}, {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(${JSON.stringify(body, null, 2).replaceAll('\n', '\n  ')}),
});
if (!response.ok) throw new Error(await response.text());
console.log(await response.${body.stream ? 'text' : 'json'}());`;
}

const FORMS = { curl, JavaScript: javascript };

/** Copies a text. Where the page comes without TLS a browser has no clipboard for it, but copies what is selected. */
async function copyText(node) {
  try {
    await navigator.clipboard.writeText(node.textContent);
    return true;
  } catch {
    const range = document.createRange();
    range.selectNodeContents(node);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    return document.execCommand('copy');
  }
}

/** The part of the page that shows a question as code. `request` gives the path and the body. */
export function beginCode(request) {
  const [code, copied] = [$('code'), $('copied')];
  const choices = [...document.querySelectorAll('input[name="code"]')];
  const show = () => {
    const [path, body] = request();
    const { value } = choices.find(({ checked }) => checked);
    code.textContent = FORMS[value](new URL(path, document.baseURI).href, body);
    copied.textContent = '';
  };
  for (const choice of choices) choice.addEventListener('change', show);
  $('copy').addEventListener('click', async () => {
    copied.textContent = (await copyText(code)) ? 'Copied.' : 'The browser does not allow it: the code is selected.';
  });
  // What scrolls must be within reach of the keyboard.
  code.tabIndex = 0;
  code.setAttribute('role', 'region');
  code.setAttribute('aria-labelledby', 'code-title');
  show();
  return show;
}
