// Line charts by uPlot. Each has a name, a sentence that says what is seen, and its numbers as a table.

import { colour, el, onTheme } from './dom.js';
import { table } from './tables.js';

/** Height of a chart in pixels. */
const HEIGHT = 260;

/**
 * A chart.
 *
 * @param options - `title`; `says`: what is seen; `x`: `{ name, show }`; `series`: `{ name, values, colour, points?, dash? }`; `show` writes
 *   a value of y; `from`, `to`: the range of y.
 */
export function chart({ title, says, x, xs, series, show, from, to, xFrom, xTo, log }) {
  const place = el('div', { class: 'canvas', role: 'img', 'aria-label': `${title}. ${says}` });
  const axis = (label, written) => ({
    label,
    labelSize: 22,
    labelGap: 2,
    size: label ? 40 : 56,
    font: '12px system-ui, sans-serif',
    labelFont: '12px system-ui, sans-serif',
    stroke: () => colour('soft'),
    grid: { stroke: () => colour('line'), width: 1 },
    ticks: { stroke: () => colour('line'), width: 1 },
    values: (_, splits) => splits.map((value) => (value === null ? '' : written(value))),
  });
  const lines = series.map(({ name, colour: hue, points, dash }) => ({
    label: name,
    stroke: () => colour(hue),
    width: points ? 0 : 2,
    spanGaps: true,
    dash,
    points: { show: points === true || xs.length < 30, size: points ? 8 : 6, fill: () => colour(hue) },
    value: (_, value) => (value === null || value === undefined ? '–' : show(value)),
  }));
  let drawn;
  const draw = () => {
    const width = place.clientWidth;
    if (width === 0) return;
    if (drawn) return drawn.setSize({ width, height: HEIGHT });
    const range = (low, high) => (low === undefined ? undefined : () => [low, high]);
    drawn = new uPlot(
      {
        width,
        height: HEIGHT,
        scales: {
          x: { time: false, range: range(xFrom, xTo) },
          y: { range: range(from, to), distr: log ? 3 : 1 },
        },
        axes: [axis(x.name, x.show), { ...axis(undefined, show), size: 60 }],
        series: [{ label: x.name, value: (_, value) => (value === null ? '–' : x.show(value)) }, ...lines],
        cursor: { points: { size: 8 }, drag: { x: false, y: false } },
        legend: { live: true },
      },
      [xs, ...series.map(({ values }) => values)],
      place,
    );
  };
  new ResizeObserver(draw).observe(place);
  onTheme(() => drawn?.redraw());
  const rows = xs.map((value, at) => ({ value, others: series.map(({ values }) => values[at]) }));
  const columns = series.map(({ name }, at) => ({
    name,
    of: ({ others }) => others[at] ?? -Infinity,
    show: ({ others }) => (others[at] === null || others[at] === undefined ? '–' : show(others[at])),
  }));
  const numbers = el('details', {}, el('summary', {}, 'As a table'));
  // Made when it is wanted: there may be hundreds of points.
  numbers.addEventListener('toggle', () => {
    if (numbers.querySelector('table')) return;
    const first = { name: x.name, of: ({ value }) => value, show: ({ value }) => x.show(value) };
    numbers.append(table(title, [first, ...columns], rows));
  });
  return el('figure', {}, el('figcaption', {}, el('strong', {}, title), ' ', el('span', {}, says)), place, numbers);
}
