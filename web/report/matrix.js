// The confusion matrix as a heat map whose cells open the texts behind them.

import { count, el, note, percent, placeOf, plural, section } from './dom.js';
import { table } from './tables.js';

/** Labels that a heat map has room for. */
const MOST = 25;

/** The labels that are confused most, in the order of all labels. */
function chosen(labels, cells) {
  if (labels.length <= MOST) return labels.map((_, index) => index);
  const mistakes = new Float64Array(labels.length);
  for (const { truth, predicted, rows } of cells) {
    if (truth === predicted) continue;
    mistakes[truth] += rows;
    mistakes[predicted] += rows;
  }
  return [...mistakes.keys()]
    .sort((a, b) => mistakes[b] - mistakes[a])
    .slice(0, MOST)
    .sort((a, b) => a - b);
}

/** How strongly a cell is coloured, in percent. Between 40 and 85 neither dark nor light text could be read on it. */
function heatOf(share) {
  if (share === 0) return 0;
  const strength = Math.sqrt(share);
  return Math.round(strength < 0.7 ? 8 + (32 * strength) / 0.7 : 85 + 50 * (strength - 0.7));
}

/** The texts of a cell. */
function textList(texts, rows) {
  if (texts.length === 0) return note('None of these texts is in the report; more are with --texts.');
  const items = texts.map((each) =>
    el(
      'li',
      {},
      el('blockquote', { dir: 'auto' }, each.text || '(empty)'),
      el('small', {}, `${placeOf(each)}, ${percent(each.probability)} sure`),
    ),
  );
  const shown = texts.length < rows ? [note(`A sample of ${texts.length} of ${plural(rows, 'row')}.`)] : [];
  return el('div', {}, el('ul', { class: 'texts' }, ...items), ...shown);
}

/** Moves between the cells of a grid by the arrow keys; one cell at a time is reached by Tab. */
function arrows(grid, cells) {
  const steps = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
  grid.addEventListener('keydown', (event) => {
    const step = steps[event.key];
    const at =
      step &&
      cells
        .flatMap((row, y) => row.map((cell, x) => ({ cell, x, y })))
        .find(({ cell }) => cell === document.activeElement);
    if (!at) return;
    event.preventDefault();
    for (let y = at.y + step[0], x = at.x + step[1]; cells[y]?.[x] !== undefined; y += step[0], x += step[1]) {
      const next = cells[y][x];
      if (next.disabled) continue;
      document.activeElement.tabIndex = -1;
      next.tabIndex = 0;
      next.focus();
      return;
    }
  });
}

/** The section of confusions. */
export function confusionSection({ labels, cells, confusions, texts }) {
  const shown = chosen(labels, cells);
  const rowsOf = new Map(cells.map(({ truth, predicted, rows }) => [`${truth}>${predicted}`, rows]));
  const support = new Map();
  for (const { truth, rows } of cells) support.set(truth, (support.get(truth) ?? 0) + rows);
  const opened = el('div', {
    class: 'opened',
    role: 'region',
    'aria-live': 'polite',
    'aria-label': 'Texts of the chosen cell',
  });
  const open = (truth, predicted) => {
    const rows = rowsOf.get(`${truth}>${predicted}`) ?? 0;
    const title = truth === predicted ? `${labels[truth]}, found` : `${labels[truth]}, taken for ${labels[predicted]}`;
    const found = texts.filter((each) => each.truth === truth && each.predicted === predicted);
    opened.replaceChildren(el('h3', {}, `${title}: ${plural(rows, 'row')}`), textList(found, rows));
  };
  let reached = false;
  const buttons = [];
  const lines = shown.map((truth) => {
    const row = shown.map((predicted) => {
      const rows = rowsOf.get(`${truth}>${predicted}`) ?? 0;
      const share = rows / Math.max(support.get(truth) ?? 0, 1);
      const cell = el(
        'button',
        {
          type: 'button',
          disabled: rows === 0,
          tabindex: rows > 0 && !reached ? 0 : -1,
          class: truth === predicted ? 'hit' : 'miss',
          'aria-label': `${plural(rows, 'row')} of ${labels[truth]} given ${labels[predicted]}, ${percent(share)}`,
          title: `${labels[truth]} → ${labels[predicted]}: ${plural(rows, 'row')}, ${percent(share)}`,
          on: { click: () => open(truth, predicted) },
        },
        rows === 0 ? '' : count(rows),
      );
      if (rows > 0) reached = true;
      const heat = heatOf(share);
      cell.style.setProperty('--heat', `${heat}%`);
      if (heat > 50) cell.classList.add('strong');
      return cell;
    });
    buttons.push(row);
    return el(
      'tr',
      {},
      el('th', { scope: 'row', title: labels[truth] }, el('span', {}, labels[truth])),
      ...row.map((cell) => el('td', {}, cell)),
    );
  });
  const head = el(
    'tr',
    {},
    el('td', { class: 'corner' }, 'right ↓ given →'),
    ...shown.map((index) => el('th', { scope: 'col', title: labels[index] }, el('span', {}, labels[index]))),
  );
  const says =
    shown.length < labels.length
      ? `Rows by right label (down) and given label (across): the ${shown.length} of ${count(labels.length)} labels with most mistakes.`
      : 'Rows by right label (down) and given label (across).';
  const grid = el(
    'table',
    { class: 'matrix' },
    el('caption', {}, `${says} A cell opens its texts; arrow keys move between cells.`),
    el('thead', {}, head),
    el('tbody', {}, ...lines),
  );
  arrows(grid, buttons);
  const scroller = el('div', { class: 'scroll', role: 'region', 'aria-label': 'Confusion matrix' }, grid);
  const pairs = table(
    'Labels taken for one another most often',
    [
      { name: 'Right', of: ({ truth }) => truth, text: true },
      { name: 'Given', of: ({ predicted }) => predicted, text: true },
      { name: 'Rows', of: ({ rows }) => rows, show: ({ rows }) => count(rows) },
      { name: 'Share', of: ({ share }) => share, show: ({ share }) => percent(share) },
      {
        name: 'Texts',
        of: ({ rows }) => rows,
        show: ({ truth, predicted }) =>
          el(
            'button',
            {
              type: 'button',
              class: 'link',
              'aria-label': `Texts of ${truth} taken for ${predicted}`,
              on: {
                click() {
                  open(labels.indexOf(truth), labels.indexOf(predicted));
                  opened.scrollIntoView({ block: 'nearest' });
                },
              },
            },
            'show',
          ),
      },
    ],
    confusions,
    { sorted: 2, first: 10 },
  );
  return section(
    'confusions',
    'Confusions',
    scroller,
    opened,
    ...(confusions.length > 0 ? [pairs] : [note('No label was taken for another.')]),
  );
}
