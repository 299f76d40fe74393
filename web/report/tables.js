// Tables, which scroll by themselves where the page is narrow.

import { count, el, estimated, percent } from './dom.js';

/** Rows of a table that are shown before a button shows all. */
const FIRST = 25;

/** A bar for a share with its interval. */
export function bar({ value, low, high }) {
  const track = el('span', { class: 'bar', 'aria-hidden': 'true' });
  const fill = el('span', { class: 'fill' });
  fill.style.width = `${100 * value}%`;
  const range = el('span', { class: 'range' });
  range.style.left = `${100 * low}%`;
  range.style.width = `${100 * (high - low)}%`;
  track.append(fill, range);
  return track;
}

/**
 * A table whose columns sort.
 *
 * @param columns - `{ name, of, show?, text? }`: `of` gives what is sorted by, `show` what is shown; columns of text are set from the left.
 * @param options - `sorted`: the column that sorts at first, and `falling` how; rows of which `last` is true then come at the end.
 */
export function table(caption, columns, rows, { sorted, falling = true, last = () => false, first = FIRST } = {}) {
  const body = el('tbody');
  const before = (a, b) => {
    const [x, y] = [a, b].map(columns[sorted].of);
    return last(a) - last(b) || (falling ? y - x : x - y);
  };
  let order = sorted === undefined ? [...rows] : [...rows].sort(before);
  let by = sorted;
  let all = rows.length <= first;
  const heads = columns.map(({ name, text }, at) => {
    const button = el('button', { type: 'button', on: { click: () => sortBy(at) } }, name);
    return el('th', { scope: 'col', class: text ? 'text' : undefined }, button);
  });
  const more = el(
    'button',
    { type: 'button', class: 'more', on: { click: showAll } },
    `Show all ${count(rows.length)}`,
  );
  const show = () => {
    body.replaceChildren(
      ...order.slice(0, all ? order.length : first).map((row) =>
        el(
          'tr',
          {},
          ...columns.map(({ of, show: shown, text }, at) => {
            const cell = shown ? shown(row) : String(of(row));
            const kind = { class: text ? 'text' : undefined };
            return at === 0 ? el('th', { scope: 'row', ...kind }, cell) : el('td', kind, cell);
          }),
        ),
      ),
    );
    more.hidden = all;
    for (const [at, head] of heads.entries())
      if (at === by) head.setAttribute('aria-sort', falling ? 'descending' : 'ascending');
      else head.removeAttribute('aria-sort');
  };
  function sortBy(at) {
    falling = at === by ? !falling : !columns[at].text;
    by = at;
    const { of } = columns[at];
    const compare = (a, b) => (typeof a === 'string' ? a.localeCompare(b) : a - b);
    order = [...rows].sort((a, b) => (falling ? compare(of(b), of(a)) : compare(of(a), of(b))));
    show();
  }
  function showAll() {
    all = true;
    show();
    heads[0].querySelector('button').focus();
  }
  show();
  const name = typeof caption === 'string' ? caption : caption.textContent;
  const scroller = el(
    'div',
    { class: 'scroll', role: 'region', tabindex: 0, 'aria-label': name },
    el('table', {}, el('caption', {}, caption), el('thead', {}, el('tr', {}, ...heads)), body),
  );
  return el('div', { class: 'table' }, scroller, more);
}

/** Results of groups of rows. */
export function groupTable({ by, groups }) {
  return table(
    `Accuracy by ${by}`,
    [
      { name: by, of: ({ name }) => name, text: true },
      { name: 'Rows', of: ({ rows }) => rows, show: ({ rows }) => count(rows) },
      { name: 'Accuracy', of: ({ accuracy }) => accuracy.value, show: ({ accuracy }) => bar(accuracy), text: true },
      { name: '95 % interval', of: ({ accuracy }) => accuracy.low, show: ({ accuracy }) => estimated(accuracy) },
    ],
    groups,
  );
}

/** Precision, recall and F1 of each label. */
export function labelTable(perLabel, unit = 'Rows') {
  // A measure whose denominator is 0 is undefined.
  const measure = (name, key, rowsOf) => ({
    name,
    of: (row) => row[key].value,
    show: (row) => {
      const { value, low, high } = row[key];
      if (rowsOf(row) === 0) return '-';
      return low === undefined || low === high
        ? percent(value)
        : el('span', {}, percent(value), el('small', {}, ` ${(100 * low).toFixed(0)}–${(100 * high).toFixed(0)}`));
    },
  });
  const intervals = perLabel.some(({ f1 }) => f1.low !== undefined) ? '; the small figures are 95 % intervals' : '';
  return table(
    `Measures of each label in percent, the lowest F1 first${intervals}. The name of a column sorts by it`,
    [
      { name: 'Label', of: ({ label }) => label, text: true },
      { name: unit, of: ({ support }) => support, show: ({ support }) => count(support) },
      { name: 'Given', of: ({ predicted }) => predicted, show: ({ predicted }) => count(predicted) },
      measure('Precision', 'precision', ({ predicted }) => predicted),
      measure('Recall', 'recall', ({ support }) => support),
      measure('F1', 'f1', ({ support, predicted }) => support + predicted),
    ],
    perLabel,
    // A label that neither has rows nor was given has no F1.
    { sorted: 5, falling: false, last: ({ support, predicted }) => support + predicted === 0 },
  );
}
