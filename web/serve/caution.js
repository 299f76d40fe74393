// When a classifier gives no label, and whether a text is one that it was made for: the controls, and what they mean.

import { checkbox, el, percent, plural } from './dom.js';

/** Precisions between the last whole percentages that people ask for. */
const FINE = [0.995, 0.999];
/** Of fewer validation rows the interval is worth a word. */
const FEW_ROWS = 100;

/** A share without needless digits. */
const short = (share) => `${Number((100 * share).toFixed(1))} %`;

/** The precisions to choose from: what the model reaches, and what the server takes without being asked. */
function choicesOf(thresholds, usual) {
  const [lowest, highest] = [thresholds[0].precision, thresholds.at(-1).precision];
  const whole = Array.from({ length: 101 }, (_, i) => i / 100).filter(
    (share) => share >= Math.floor(100 * lowest) / 100,
  );
  const reached = [...whole, ...FINE].filter((share) => share > 0 && share <= highest);
  return [...new Set(usual === null ? reached : [...reached, usual])].sort((a, b) => a - b);
}

/** What a threshold gave on the validation rows. */
function measured({ minProbability, coverage, precision, precisionLow, precisionHigh, rows }) {
  const interval = `${Math.round(100 * precisionLow)} to ${Math.round(100 * precisionHigh)} %`;
  const few = rows < FEW_ROWS ? ` These are few: the 95 % interval is ${interval}.` : '';
  if (minProbability === 0)
    return `No label is withheld: of ${plural(rows, 'validation row')}, ${percent(precision)} were labelled right.${few}`;
  return `The threshold is ${percent(minProbability)}. It labelled ${plural(rows, 'validation row')} (${percent(coverage)}), ${percent(precision)} of them right.${few}`;
}

/** A slider with its name, what it stands at, and a note on what it means. */
function slider(id, name, most, value) {
  const input = el('input', { type: 'range', id, min: 0, max: most, value, 'aria-describedby': `${id}-note` });
  const shown = el('output', { for: id });
  const meaning = el('p', { id: `${id}-note`, class: 'aside' });
  return {
    input,
    shown,
    meaning,
    parts: [el('div', { class: 'field wide' }, el('label', { for: id }, name), input, shown), meaning],
  };
}

/**
 * The controls of a classifier that withhold labels, and say what is out of scope; those that the model cannot do anything with are not there.
 * `parts` go above the other controls, `boxes` next to them; `inputs` are all that can be changed.
 */
export function caution({ precision: usual, precisionThresholds: thresholds, outOfScope: tellsScope }) {
  const least = slider('least', 'Unsure below', 100, 0);
  least.meaning.textContent = 'A label that is less probable is not given.';
  const showLeast = () => {
    least.shown.textContent = `${least.input.value} %`;
    least.input.setAttribute('aria-valuetext', `${least.input.value} percent`);
  };
  showLeast();
  least.input.addEventListener('input', showLeast);

  const choices = thresholds === null ? [] : choicesOf(thresholds, usual);
  const precise = slider('precision', 'Wanted precision', choices.length, choices.indexOf(usual) + 1);
  /** The threshold of a precision; the server has made sure that there is one. */
  const thresholdFor = (wanted) => thresholds.find(({ precision }) => precision >= wanted);
  const wanted = () => choices[precise.input.valueAsNumber - 1];
  const showPrecise = () => {
    const share = wanted();
    precise.shown.textContent = share === undefined ? 'any' : short(share);
    precise.input.setAttribute('aria-valuetext', share === undefined ? 'any' : `${short(share).slice(0, -2)} percent`);
    precise.meaning.className = share === undefined ? 'aside' : 'note';
    precise.meaning.textContent =
      share === undefined ? 'The share of the given labels that should be right.' : measured(thresholdFor(share));
  };
  precise.input.addEventListener('input', showPrecise);

  const [scope, scopeField] = checkbox('scope', 'Say what is out of scope');
  const precisely = choices.length > 0;
  if (precisely) showPrecise();
  return {
    parts: [...least.parts, ...(precisely ? precise.parts : [])],
    boxes: tellsScope ? [scopeField] : [],
    inputs: [least.input, precise.input, scope],
    /** The fields of a request. */
    options() {
      const minProbability = least.input.valueAsNumber / 100;
      const precision = precisely ? wanted() : undefined;
      // A least probability, even of 0, keeps the server from taking its usual precision.
      const given = minProbability > 0 || (usual !== null && precision === undefined);
      return {
        ...(given && { minProbability }),
        ...(precision !== undefined && { precision }),
        ...(scope.checked && { outOfScope: true }),
      };
    },
    /** The least probability of a label by the fields of a request. */
    leastOf({ minProbability = 0, precision }) {
      return Math.max(minProbability, precision === undefined ? 0 : thresholdFor(precision).minProbability);
    },
    /** Why a request got no label, given its fields. */
    limitOf({ minProbability = 0, precision }) {
      const threshold = precision === undefined ? 0 : thresholdFor(precision).minProbability;
      if (threshold <= minProbability) return `${Math.round(100 * minProbability)} %`;
      return `${percent(threshold)}, the threshold for a precision of ${short(precision)}`;
    },
  };
}
