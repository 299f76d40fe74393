// What all parts of a report are made of. Nothing here takes text for HTML.

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

/** A part of the page under a heading, which the list of contents names. */
export function section(id, title, ...children) {
  return el('section', { id, 'aria-labelledby': `${id}-title` }, el('h2', { id: `${id}-title` }, title), ...children);
}

/** A paragraph that explains. */
export const note = (...children) => el('p', { class: 'note' }, ...children);

export const count = (value) => value.toLocaleString('en-US');

export const percent = (share, digits = 1) => `${(100 * share).toFixed(digits)} %`;

/** `81.2 % (79.0 to 83.1)`. */
export const estimated = ({ value, low, high }) =>
  `${percent(value)} (${(100 * low).toFixed(1)} to ${(100 * high).toFixed(1)})`;

export const plural = (value, noun) => `${count(value)} ${noun}${value === 1 ? '' : 's'}`;

/** Where a row is. */
export const placeOf = ({ row, line }) => (line === undefined ? `row ${count(row)}` : `line ${count(line)}`);

/** Runs again when light and dark change. */
export function onTheme(redraw) {
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
}

const probe = el('span', { hidden: true });

/** A colour of the page as a canvas knows it: what depends on light and dark is decided. */
export function colour(name) {
  if (!probe.isConnected) document.body.append(probe);
  probe.style.color = `var(--${name})`;
  return getComputedStyle(probe).color;
}
