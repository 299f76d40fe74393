// Puts the page together by what the report is about.

import { count, el, note, percent, plural, section } from './dom.js';
import { language, sequences, tagger } from './kinds.js';
import { confusionSection } from './matrix.js';
import { shareTile, tile, tiles, trainingSection } from './overview.js';
import { groupTable, labelTable } from './tables.js';
import { doubtSection, mistakeSection, sampled, trustSection } from './texts.js';

/** With fewer rows, a precision and a label's figures say little. */
const ENOUGH = 30;
const FEW_OF_LABEL = 10;

/** The highest precision that rests on enough rows. */
function labelledTile({ at }, rows) {
  const answered = ({ point }) => (point ? Math.round(point.coverage * rows) : 0);
  const best = at.find((each) => answered(each) >= ENOUGH);
  if (!best)
    return tile(`Labelled at ${100 * at.at(-1).wanted} % precision`, 'none', `no threshold with ${ENOUGH} rows`);
  const from = `${count(answered(best))} rows, from a probability of ${best.point.threshold.toFixed(3)} on`;
  return tile(`Labelled at ${100 * best.wanted} % precision`, percent(best.point.coverage), from);
}

function classifier(report) {
  const { accuracy, macroF1, rows, labels, calibration, coverage, groupings, perLabel, texts, multiLabel } = report;
  const figures = tiles(
    shareTile(multiLabel ? 'All labels right' : 'Accuracy', accuracy),
    shareTile('Macro F1', macroF1),
    coverage && labelledTile(coverage, rows),
    calibration && tile('Calibration error', percent(calibration.error), 'mean over the rows'),
    tile('Rows', count(rows), `${count(labels.length)} labels`),
  );
  const rare = perLabel.filter(({ support }) => support > 0 && support < FEW_OF_LABEL).length;
  const few = perLabel.length < labels.length ? [note(`The ${count(perLabel.length)} labels with most rows.`)] : [];
  return [
    section(
      'summary',
      'Summary',
      figures,
      ...(rare > 0
        ? [
            note(
              `Macro F1 counts all labels alike, and ${plural(rare, 'label')} of it ${rare === 1 ? 'has' : 'have'} fewer than ${FEW_OF_LABEL} rows.`,
            ),
          ]
        : []),
      note('Intervals by the bootstrap: rows drawn with replacement. ', multiLabel ? '' : sampled(texts, rows)),
    ),
    section('labels', 'Each label', labelTable(perLabel), ...few),
    ...(multiLabel ? [] : [confusionSection(report), trustSection(report)]),
    section('groups', 'Where it does well', el('div', { class: 'charts two' }, ...groupings.map(groupTable))),
    mistakeSection(report),
    doubtSection(report),
    trainingSection(report),
  ];
}

const KINDS = { classifier, tagger, language, seq2seq: sequences };

const report = JSON.parse(document.getElementById('data').textContent);
const sections = KINDS[report.kind](report).filter(Boolean);
document.getElementById('report').append(...sections);
document
  .getElementById('contents')
  .append(...sections.map((each) => el('a', { href: `#${each.id}` }, each.querySelector('h2').textContent)));
