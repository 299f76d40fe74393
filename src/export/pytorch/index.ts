import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { constraint, DataError } from '../../core/errors.js';
import { writeText } from '../../core/writeText.js';
import type { StateEntry } from '../../engine/engine.js';
import { LINEAR_PREFIX } from '../../engine/memberNames.js';
import { classifierFile } from '../../models/classifier/description.js';
import { HUGGING_FACE, kindOf, type Metadata, parseDescription } from '../../models/description.js';
import { languageFile } from '../../models/language/description.js';
import { taggerFile } from '../../models/tagger/description.js';
import { TagSet } from '../../models/tagger/tagSet.js';
import type { ExportForm } from '../format.js';
import { checkOwnFile } from '../ownFile.js';
import { linearReading, partsOf, type Reading, textReading, vocabularyReading } from '../reading.js';
import { SCRIPT, SCRIPT_MARK } from './script.js';
import { type Saved, writeTorchFile } from './torchFile.js';

/** Arrays of the linear model that are weights; the others say which n-grams it counts, and are part of the reading. */
const LINEAR_WEIGHTS = ['weights', 'scales', 'bias', 'sharpness'].map((name) => LINEAR_PREFIX + name);

interface Described {
  metadata: Readonly<Record<string, string>>;
  description: Metadata;
  state: readonly StateEntry[];
}

/** The content of `model.json` besides the vocabulary, and the arrays to save. */
interface Exported {
  reading: Reading;
  arrays: readonly Saved[];
  notes?: readonly string[];
}

function classifier({ metadata, description, state }: Described): Exported {
  const settings = classifierFile.settings(description.settings);
  const fields = classifierFile.parse({ ...description }, settings);
  const { labels, thresholds = null, linear: mix = null, members } = fields;
  const parts = partsOf(fields);
  // A custom function must be passed to load, as to TextClassifier.load.
  const own = description.tokenizer === null;
  const text = textReading(own ? { ...description, tokenizer: 'characters' } : description, metadata);
  const linear = parts.linear ? linearReading(state) : null;
  return {
    reading: { ...text, settings, labels, thresholds, mix, members, network: parts.network, linear },
    arrays: state.filter(({ name }) =>
      name.startsWith(LINEAR_PREFIX) ? parts.linear && LINEAR_WEIGHTS.includes(name) : parts.network,
    ),
    notes: own ? ['the model uses a custom tokenizer function: in Python, pass it to load as tokenize'] : [],
  };
}

function tagger({ description, state }: Described): Exported {
  const settings = taggerFile.settings(description.settings);
  const { tags, scheme, lowercase, splits } = taggerFile.parse({ ...description }, settings);
  const forbidden = settings.decoder === 'crf' ? new TagSet({ tags, scheme }).forbidden() : undefined;
  const flags = (values: Uint8Array) => Array.from(values);
  return {
    reading: {
      ...{ settings, labels: tags, scheme: scheme ?? null, lowercase, tokenizer: splits },
      maxLength: description.maxLength,
      characters: settings.subwords || null,
      forbidden: forbidden
        ? { start: flags(forbidden.start), end: flags(forbidden.end), between: flags(forbidden.between) }
        : null,
    },
    arrays: state,
  };
}

function language({ metadata, description, state }: Described): Exported {
  const settings = languageFile.settings(description.settings);
  const { units } = languageFile.parse({ ...description }, settings);
  const tokens = description.tokenizer === HUGGING_FACE ? textReading(description, metadata) : {};
  const vectors = state.find(({ name }) => name === 'embedding.weight')!;
  // As in PyTorch, both names are in the state dict, with one storage.
  const tied = settings.tieWeights ? [{ ...vectors, name: 'fc.weight', same: vectors.name }] : [];
  return { reading: { ...tokens, settings, units }, arrays: [...state, ...tied] };
}

const KINDS: Readonly<Record<string, (described: Described) => Exported>> = { classifier, tagger, language };

/**
 * A state dict, a JSON file that describes what the model reads and answers, and a Python module that combines both.
 */
export const PYTORCH: ExportForm = {
  help: 'a folder with the state dict and a Python file that loads and runs it',
  folder: true,
  async write(model, out, turns) {
    const script = join(out, 'model.py');
    await checkOwnFile(script, SCRIPT_MARK, 'give another folder');
    const { metadata, state } = await model.contents();
    turns.restart();
    const description = parseDescription('the model', metadata, 'classifier') as Metadata;
    const kind = kindOf(description);
    const make = KINDS[kind];
    if (!make)
      throw constraint(
        'model',
        'a sequence-to-sequence model cannot be written for PyTorch; classifiers, taggers and language models can',
      );
    const { reading, arrays, notes = [] } = make({ metadata, description, state });
    const { vocab } = model;
    const end = kind === 'language' ? { end: vocab.get('<eos>') } : {};
    const json = JSON.stringify({ kind, ...reading, ...end, ...vocabularyReading(vocab) });
    try {
      await mkdir(out, { recursive: true });
    } catch (cause) {
      throw new DataError('IO', `the folder cannot be created: ${(cause as Error).message}`, { file: out }, { cause });
    }
    const [weights, texts] = [join(out, 'model.pt'), join(out, 'model.json')];
    await writeTorchFile(weights, arrays, turns);
    for (const [path, text] of [
      [texts, json],
      [script, SCRIPT],
    ] as const) {
      await writeText(path, text);
      if (turns.due) await turns.next();
    }
    return { files: [weights, texts, script], notes };
  },
};
