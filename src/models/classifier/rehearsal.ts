import { EncodedDataset } from '../../data/sets/encoded.js';
import type { ExplainingEngine } from '../../engine/engine.js';
import type { Mix } from '../../engine/linear.js';
import type { Vocab } from '../../text/vocab.js';
import { mixOf } from './linear.js';
import type { TrainSettings } from './options.js';
import { predictRows } from './prediction.js';
import type { ClassifierData } from './targets.js';

/**
 * The unexplained share of the linear model above which the default mix is not used. Below, the default mix is as
 * accurate as the best one within 0.4 points on every set that was measured (AG News from 500 rows on, banking77,
 * SNIPS, 4,000 nouns of WordNet), and its calibration error is up to 0.06. Above are texts whose order matters, where
 * the network is far better (the default mix loses 3 points and its calibration error is 0.37), and many similar
 * labels, where the network is far worse (WordNet's verbs: 1 point, 0.10).
 */
const LEFT_OPEN = 0.5;

/** Maximum training rows of the network: enough to compare it with the linear model. */
const MOST_ROWS = 20_000;

/** Minimum rows to choose a mix by. */
const FEWEST_HELD_OUT = 20;

/** The data of the other network, and how the mix is chosen by it. */
export interface MixRehearsal {
  data: ClassifierData;
  choose(engine: ExplainingEngine): Promise<{ linear: Mix }>;
}

/**
 * The training of another network to choose the mix by, if there are no validation rows and the linear model explains
 * little. It is measured on rows that the linear model held out itself.
 *
 * @returns undefined if the default mix is good enough.
 */
export function rehearsalOf(data: ClassifierData, { recurrent }: TrainSettings): MixRehearsal | undefined {
  const { expert, train, validation, vectors, vocab } = data;
  const held = expert?.heldOut;
  if (!held || recurrent === false || validation || held.unexplained <= LEFT_OPEN) return undefined;
  const rows = Int32Array.from(held.rows);
  if (rows.length < FEWEST_HELD_OUT) return undefined;
  const others = membersBeside(train.length, rows);
  const parts = { members: train.subset(others), measured: train.subset(rows) };
  // A word with a vector is known, whether a row has it or not.
  const { members, measured } = vectors ? parts : withUnknown(parts.members, parts.measured, vocab);
  return {
    data: { train: members, validation: undefined, vectors, vocab, expert: undefined },
    async choose(engine) {
      const { classes } = measured;
      const probabilities = await predictRows(engine, measured.tokens, measured.lengths(), classes.length);
      const { mix } = await mixOf(held.logProbabilities, probabilities, measured);
      return { linear: mix };
    },
  };
}

/** All rows except some, evenly thinned out if there are too many. */
function membersBeside(length: number, rows: Int32Array): Int32Array {
  const without = new Uint8Array(length);
  for (const row of rows) without[row] = 1;
  const others = Int32Array.from(without.keys()).filter((row) => without[row] === 0);
  const step = Math.max(1, others.length / MOST_ROWS);
  return Int32Array.from({ length: Math.ceil(others.length / step) }, (_, at) => others[Math.floor(at * step)]!);
}

/** Both parts; words missing from the first are unknown in the second, as they would be in new texts. */
function withUnknown(
  members: EncodedDataset,
  measured: EncodedDataset,
  vocab: Vocab,
): { members: EncodedDataset; measured: EncodedDataset } {
  const known = new Uint8Array(vocab.length);
  for (const id of members.tokens) known[id] = 1;
  const { offsets, labels, labelOffsets, classes } = measured;
  const tokens = measured.tokens.map((id) => (known[id] === 1 ? id : vocab.defaultIndex!));
  return { members, measured: new EncodedDataset({ tokens, offsets, labels, labelOffsets, classes }) };
}
