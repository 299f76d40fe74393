// The page of a model that writes one text for another, with what it looked at.

import { $, ask, element } from './dom.js';

/** Makes the page ready for a model; returns what is said about it. */
export function begin({ units, words, targetWords, cell }) {
  $('searching').disabled = $('searching').hidden = false;
  $('prompt-label').textContent = 'Source';
  $('send').textContent = 'Write';
  $('keys').textContent = 'Ctrl and Enter write, too.';
  const [read, written] = [words.toLocaleString('en'), targetWords.toLocaleString('en')];
  return `${cell.toUpperCase()} from ${read} ${units.source} to ${written} ${units.target}.`;
}

/** How much each source unit counted for each unit of an answer: the darker, the more. */
function alignment(sourceUnits, { units, alignments }) {
  const table = element('table', '', { class: 'alignment' });
  table.append(element('caption', 'What each unit of the answer looked at'));
  const head = element('tr');
  head.append(element('td'), ...sourceUnits.map((unit) => element('th', unit, { scope: 'col' })));
  table.append(head);
  for (const [i, unit] of units.entries()) {
    const row = element('tr');
    row.append(element('th', unit, { scope: 'row' }));
    for (const [j, weight] of alignments[i].entries()) {
      const percent = Math.round(100 * weight);
      const cell = element('td', percent >= 10 ? String(percent) : '', { title: `${sourceUnits[j]}: ${percent} %` });
      cell.style.setProperty('--weight', String(weight));
      row.append(cell);
    }
    table.append(row);
  }
  return table;
}

/** A source and what belongs to it. */
function translated(asked, { sourceUnits, knownUnits, candidates }) {
  const article = element('article');
  article.append(element('blockquote', asked === '' ? '(empty)' : asked));
  const list = element('ol');
  for (const { text, score } of candidates) {
    const item = element('li', text, { class: 'answer' });
    item.append(element('span', ` ${(100 * Math.exp(score)).toFixed(1)} %`, { class: 'note' }));
    list.append(item);
  }
  article.append(list);
  if (sourceUnits.length > 0) article.append(alignment(sourceUnits, candidates[0]));
  const known = `${knownUnits} of ${sourceUnits.length} units are known to the model.`;
  article.append(element('p', known, { class: 'note' }));
  return article;
}

/** Writes what belongs to a text; returns what is said when it is done. */
export async function answer(text, answers) {
  const texts = $('each').checked ? text.split('\n').filter((line) => line.trim() !== '') : [text];
  const beam = $('beam').valueAsNumber;
  const body = { texts, beamSize: beam, nBest: Math.min(beam, $('best').valueAsNumber), alignments: true };
  const { predictions } = await (await ask('predict/many', body)).json();
  answers.replaceChildren(...predictions.map((prediction, index) => translated(texts[index], prediction)));
  return predictions.length === 1 ? predictions[0].text : `${predictions.length} texts written.`;
}
