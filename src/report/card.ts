import { checkFilled } from '../core/checks.js';
import { counted } from '../core/counted.js';
import { invalidArgument } from '../core/errors.js';
import { checkOptionNames } from '../core/options/names.js';
import type { Plain } from '../core/plain.js';
import { printable } from '../core/printable.js';
import { TextClassifier } from '../models/classifier/classifier.js';
import { LanguageModel } from '../models/language/language.js';
import { Seq2Seq } from '../models/seq2seq/seq2seq.js';
import { TextTagger } from '../models/tagger/tagger.js';
import { packageVersion } from '../native/addon.js';
import type { RecordedEpoch } from '../training/record.js';
import { classifierFacts, networkFacts } from './facts.js';
import type { Fact } from './format.js';

/** A model that a card can describe. */
export type CardModel = TextClassifier | TextTagger | LanguageModel | Seq2Seq;

/** Options of {@link modelCard}. */
export interface CardOptions {
  /** Name of the model. Default `'model'`. */
  name?: string;
  /** The file that the example loads. Default: the name with `.safetensors`. */
  file?: string;
}

/** A model kind's name on model hubs, and how it is used. */
interface KindText {
  /** Value of `pipeline_tag`. */
  task: string;
  what: string;
  facts: Fact[];
  use: string;
}

/** Code of the example. */
function example(name: string, file: string, call: string): string {
  return `import { ${name} } from 'recurra';\n\nconst model = await ${name}.load(${JSON.stringify(file)});\n${call}\nawait model.close();`;
}

function kindOf(model: CardModel, file: string): KindText {
  if (model instanceof TextClassifier)
    return {
      task: 'text-classification',
      what: `A text classifier with ${counted(model.labels.length, 'label')}`,
      facts: classifierFacts(model),
      use: example('TextClassifier', file, "const { label, probability } = await model.predict('a text');"),
    };
  if (model instanceof TextTagger)
    return {
      task: 'token-classification',
      what: `A tagger with ${counted(model.labels.length, 'label')}`,
      facts: [
        { name: 'labels', value: model.labels.length },
        { name: 'scheme', value: model.scheme ?? 'none' },
        ...networkFacts(model),
      ],
      use: example('TextTagger', file, "const { spans } = await model.predict('a text');"),
    };
  if (model instanceof LanguageModel)
    return {
      task: 'text-generation',
      what: `A language model of ${model.units}`,
      facts: [{ name: 'units', value: model.units }, ...networkFacts(model)],
      use: example(
        'LanguageModel',
        file,
        "for await (const piece of model.generate('a text')) process.stdout.write(piece);",
      ),
    };
  const { source, target } = model.units;
  return {
    task: 'text2text-generation',
    what: `A model from sequence to sequence that reads ${source} and writes ${target}`,
    facts: [{ name: 'units read', value: source }, { name: 'units written', value: target }, ...networkFacts(model)],
    use: example('Seq2Seq', file, "const { text } = await model.predict('a text');"),
  };
}

/** Measures by their names on model hubs, and those without one. */
const HUB_NAMES: Readonly<Record<string, string>> = {
  accuracy: 'accuracy',
  f1: 'f1',
  perplexity: 'perplexity',
  bleu: 'bleu',
};

/** Labels that a card lists. */
const MOST_LABELS = 100;

/** A string of YAML: JSON is one. */
const quoted = (text: string) => JSON.stringify(text);

/** A cell of a table. */
const cell = (text: string) => text.replace(/[\\|]/g, (sign) => `\\${sign}`).replace(/\s+/g, ' ');

const table = (head: readonly string[], rows: readonly (readonly string[])[]) =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.map(cell).join(' | ')} |`).join('\n');

const written = (value: number) =>
  Number.isInteger(value) ? value.toLocaleString('en-US') : String(Number(value.toPrecision(5)));

function optionText(value: Plain): string {
  if (value !== null && typeof value === 'object' && !Array.isArray(value) && value.given === true) return '(given)';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** The measures on validation rows that are numbers. */
const measuresOf = ({ validation }: Pick<RecordedEpoch, 'validation'>): [string, number][] =>
  Object.entries(validation ?? {}).filter((entry): entry is [string, number] => typeof entry[1] === 'number');

function frontMatter(
  name: string,
  task: string,
  cellName: string | undefined,
  kept: RecordedEpoch | undefined,
): string {
  const measures = kept ? measuresOf(kept).filter(([measure]) => HUB_NAMES[measure] !== undefined) : [];
  const lines = [
    '# language: en          # the language of the texts',
    '# license: apache-2.0   # the license of the model',
    '# datasets:             # the data it was trained on, if they are public',
    'library_name: recurra',
    `pipeline_tag: ${task}`,
    'tags:',
    ...['recurra', ...(cellName ? [cellName] : []), task].map((tag) => `- ${tag}`),
  ];
  if (measures.length > 0)
    lines.push(
      'metrics:',
      ...measures.map(([measure]) => `- ${HUB_NAMES[measure]}`),
      'model-index:',
      `- name: ${quoted(name)}`,
      '  results:',
      '  - task:',
      `      type: ${task}`,
      '    dataset:',
      '      name: validation rows of the training',
      '      type: validation',
      '    metrics:',
      ...measures.flatMap(([measure, value]) => [`    - type: ${HUB_NAMES[measure]}`, `      value: ${value}`]),
    );
  return `---\n${lines.join('\n')}\n---`;
}

/** The training record of the model's file, in sections. */
function trainingText({ card }: CardModel, kept: RecordedEpoch | undefined): string[] {
  if (!card)
    return ['## Training', 'The model file has no training record: it was written by an earlier version of recurra.'];
  const { data, history, options, version } = card;
  const parts = [
    '## Training data',
    `Trained on ${counted(data.rows)}, ` +
      `${data.validationRows > 0 ? `measured after each epoch on ${data.validationRows.toLocaleString('en-US')} ${data.validationRows === 1 ? 'other' : 'others'}` : 'without validation rows'}.`,
    `Fingerprint of the rows as the network reads them (SHA-256): \`${data.sha256}\``,
  ];
  const measures = kept ? measuresOf(kept) : [];
  if (measures.length > 0)
    parts.push(
      '## Results',
      `On the validation rows, which chose epoch ${kept!.epoch} of ${history.length}:`,
      table(
        ['measure', 'value'],
        measures.map(([measure, value]) => [measure, written(value)]),
      ),
    );
  if (history.length > 0) {
    const held = (['loss', 'accuracy'] as const).filter((name) =>
      history.some(({ validation }) => typeof validation?.[name] === 'number'),
    );
    const heldText = (value: unknown) => (typeof value === 'number' ? written(value) : '');
    parts.push(
      '## Epochs',
      table(
        ['epoch', 'loss', 'accuracy', 'learning rate', ...held.map((name) => `validation ${name}`)],
        history.map((each) => [
          String(each.epoch),
          written(each.loss),
          written(each.accuracy),
          written(each.learningRate),
          ...held.map((name) => heldText(each.validation?.[name])),
        ]),
      ),
    );
  }
  parts.push(
    '## Settings',
    `Trained by recurra ${version} with these settings, defaults included:`,
    table(
      ['option', 'value'],
      Object.entries(options).map(([option, value]) => [option, optionText(value)]),
    ),
  );
  return parts;
}

/**
 * A model card as Markdown, with front matter for model hubs: what the model is, how it was trained and its figures on
 * the validation rows. Language, licence, intended use and limits are marked for you to fill in.
 *
 * @param model - The model; {@link TextModel.card} is its training record.
 * @param options - See {@link CardOptions}.
 * @throws {@link ArgumentError} for a value that is not a model, or an invalid option.
 *
 * @example
 * ```ts
 * const markdown = modelCard(model, { name: 'Tickets', file: 'tickets.safetensors' });
 * ```
 */
export function modelCard(model: CardModel, options: CardOptions = {}): string {
  const known = [TextClassifier, TextTagger, LanguageModel, Seq2Seq].some((kind) => model instanceof kind);
  if (!known) throw invalidArgument('model', 'a model', model);
  checkOptionNames('modelCard', options, ['name', 'file']);
  const { name = 'model' } = options;
  checkFilled('name', name, 'a name');
  const { file = `${name}.safetensors` } = options;
  const { task, what, facts, use } = kindOf(model, file);
  const { card } = model;
  const kept = card?.history.find(({ epoch }) => epoch === card.keptEpoch);
  const cellName = facts.some((fact) => fact.name === 'cell') ? model.settings.cell : undefined;
  const labels = 'labels' in model ? model.labels : [];
  const more = labels.length > MOST_LABELS ? `, and ${labels.length - MOST_LABELS} more` : '';
  const parts = [
    frontMatter(name, task, cellName, kept),
    `# ${name.replace(/\s+/g, ' ')}`,
    `${what}, made with recurra ${card?.version ?? packageVersion()} for Node.js.`,
    '## Intended use',
    '*To be written: who uses the model, for which texts, and for what it must not be used.*',
    '## Limits',
    '*To be written: languages, kinds of texts and groups of people for which it was not measured.*',
    '## How to use it',
    `\`\`\`ts\n${use}\n\`\`\``,
    '## The model',
    table(
      ['', ''],
      facts.map(({ name: fact, value }) => [fact, typeof value === 'number' ? written(value) : value]),
    ),
    ...(labels.length > 0
      ? [
          `Labels: ${labels
            .slice(0, MOST_LABELS)
            .map((label) => `\`${printable(label).replaceAll('`', "'")}\``)
            .join(', ')}${more}.`,
        ]
      : []),
    ...trainingText(model, kept),
  ];
  return `${parts.join('\n\n')}\n`;
}
