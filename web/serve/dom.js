// What the scripts of the page share. Whatever comes from a text or from the model is set as text, never as HTML.

export const $ = (id) => document.getElementById(id);

/** An element with attributes and children; a child that is a string is text. */
export function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    if (name === 'on') for (const [type, listener] of Object.entries(value)) made.addEventListener(type, listener);
    else made.setAttribute(name, value === true ? '' : String(value));
  }
  made.append(...children.filter((child) => child !== undefined && child !== null));
  return made;
}

/** An element with properties of style, which a policy without inline styles allows only in this way. */
export function styled(node, properties) {
  for (const [name, value] of Object.entries(properties)) node.style.setProperty(name, String(value));
  return node;
}

const nameOf = (node) => node.getAttribute('aria-label') ?? node.textContent;

/** Replaces what a part of the page shows. What had the focus there has it again; it is found by its name. */
export function renew(part, children, name = nameOf) {
  const { activeElement } = document;
  const had = activeElement !== part && part.contains(activeElement) ? name(activeElement) : undefined;
  part.replaceChildren(...children);
  if (had === undefined) return;
  const same = [...part.querySelectorAll('button, [tabindex]')].find((each) => name(each) === had);
  same?.focus({ preventScroll: true });
}

export const note = (...children) => el('p', { class: 'note' }, ...children);

export const count = (value) => value.toLocaleString('en-US');

export const plural = (value, noun) => `${count(value)} ${noun}${value === 1 ? '' : 's'}`;

export const percent = (share) => `${(100 * share).toFixed(1)} %`;

/** A text as it was asked for. */
export const quoted = (text, ...parts) =>
  el('blockquote', { dir: 'auto' }, ...(parts.length > 0 ? parts : [text === '' ? '(empty)' : text]));

/** A box with a name; the name is that of `id`. */
export function checkbox(id, name) {
  const box = el('input', { type: 'checkbox', id });
  return [box, el('span', { class: 'field' }, box, el('label', { for: id }, name))];
}

/** A number with a name. */
export function numberField(id, name, attributes) {
  const field = el('input', { type: 'number', id, ...attributes });
  return [field, el('span', { class: 'field' }, el('label', { for: id }, name), field)];
}

/** The lines of a text that hold anything. */
export const linesOf = (text) => text.split('\n').filter((line) => line.trim() !== '');

/** A table of answers. Its caption is for screen readers; a column without a name has bars. */
export function table(caption, names, rows, attributes = {}) {
  const heads = names.map((name) =>
    name === '' ? el('td') : el('th', { scope: 'col', class: name === 'Probability' && 'number' }, name),
  );
  return el(
    'table',
    attributes,
    el('caption', { class: 'aside' }, caption),
    el('thead', {}, el('tr', {}, ...heads)),
    el('tbody', {}, ...rows),
  );
}

/** Two cells: a probability, and a bar of that length. */
export function shareCells(share) {
  const bar = styled(el('div', { class: 'bar', 'aria-hidden': 'true' }), { '--share': `${100 * share}%` });
  return [el('td', { class: 'number' }, percent(share)), el('td', { class: 'bars' }, bar)];
}

/** How much of a text a model knows; `unit` is what it reads. */
export const knownText = (known, all, unit) =>
  `${count(known)} of ${plural(all, unit)} ${known === 1 ? 'is' : 'are'} known to the model.`;

/** The first of many names. */
export const firstOf = (names) => `${names.slice(0, 12).join(', ')}${names.length > 12 ? ', …' : ''}`;
