// Puts the page together by what the report is about.

import { count, el, note, percent, section } from './dom.js';
import { language, sequences, tagger } from './kinds.js';
import { confusionSection } from './matrix.js';
import { shareTile, tile, tiles, trainingSection } from './overview.js';
import { groupTable, labelTable } from './tables.js';
import { doubtSection, mistakeSection, sampled, trustSection } from './texts.js';

function classifier(report) {
  const { accuracy, macroF1, rows, labels, calibration, coverage, groupings, perLabel, texts, multiLabel } = report;
  const certain = coverage?.at[0];
  const figures = tiles(
    shareTile(multiLabel ? 'All labels right' : 'Accuracy', accuracy),
    shareTile('Macro F1', macroF1),
    certain &&
      tile(
        'Labelled at 99 % precision',
        certain.point ? percent(certain.point.coverage) : 'none',
        certain.point ? `from a probability of ${certain.point.threshold.toFixed(3)} on` : 'at no threshold',
      ),
    calibration && tile('Calibration error', percent(calibration.error), 'mean over the rows'),
    tile('Rows', count(rows), `${count(labels.length)} labels`),
  );
  const few = perLabel.length < labels.length ? [note(`The ${count(perLabel.length)} labels with most rows.`)] : [];
  return [
    section(
      'summary',
      'Summary',
      figures,
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
