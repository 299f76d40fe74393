import { type Command, Option } from 'commander';
import { constraint } from '../core/errors.js';
import { TextClassifier } from '../models/classifier/classifier.js';
import { type ModelKind, ModelKindError } from '../models/description.js';
import { LanguageModel } from '../models/language/language.js';
import type { LoadOptions } from '../models/load.js';
import { Seq2Seq } from '../models/seq2seq/seq2seq.js';
import { TextTagger } from '../models/tagger/tagger.js';

/** A command that works with a model. */
export type ModelCommand =
  | 'evaluate'
  | 'predict'
  | 'serve'
  | 'explain'
  | 'compare'
  | 'export'
  | 'similar'
  | 'compress'
  | 'report'
  | 'card';

/** A model of any kind. */
export type AnyModel = TextClassifier | TextTagger | LanguageModel | Seq2Seq;

interface TaskOfKind {
  kind: ModelKind;
  commands: readonly ModelCommand[];
  load(path: string, options: Omit<LoadOptions, 'tokenizer'>): Promise<AnyModel>;
}

/** What a model can be trained for, as `--task` names it. */
const TASKS = {
  classify: {
    kind: 'classifier',
    commands: ['evaluate', 'predict', 'serve', 'explain', 'compare', 'export', 'similar', 'compress', 'report', 'card'],
    load: (path, options) => TextClassifier.load(path, options),
  },
  tag: {
    kind: 'tagger',
    commands: ['evaluate', 'predict', 'serve', 'export', 'similar', 'compress', 'report', 'card'],
    load: (path, options) => TextTagger.load(path, options),
  },
  language: {
    kind: 'language',
    commands: ['evaluate', 'serve', 'export', 'similar', 'compress', 'report', 'card'],
    // It has no device: it runs on the CPU.
    load: (path, { device: _, ...options }) => LanguageModel.load(path, options),
  },
  seq2seq: {
    kind: 'seq2seq',
    commands: ['evaluate', 'predict', 'serve', 'export', 'similar', 'report', 'card'],
    load(path, { threads, recurrentWeights = 'float32' }) {
      if (recurrentWeights !== 'float32')
        throw constraint('recurrentWeights', '--recurrent-weights does not apply to a model of pairs');
      return Seq2Seq.load(path, threads === undefined ? {} : { threads });
    },
  },
} as const satisfies Record<string, TaskOfKind>;

type TaskName = keyof typeof TASKS;

/** The models that a command works with. */
export type ModelOf<C extends ModelCommand> = {
  [N in TaskName]: (typeof TASKS)[N] extends { commands: readonly (infer D)[]; load(...args: never): Promise<infer M> }
    ? C extends D
      ? M
      : never
    : never;
}[TaskName];
const NAMES = Object.keys(TASKS) as TaskName[];

/** Flag of `recurra train`. */
export interface TaskFlag {
  task?: TaskName;
}

/** Adds the flag. Commander gets no default, since some files require an explicit task. */
export function taskFlag(command: Command): Command {
  return command.addOption(
    new Option(
      '--task <task>',
      'what the model is for: classify labels texts (the default), tag finds spans or tags tokens, language learns to write text, seq2seq learns to turn one text into another',
    ).choices(NAMES),
  );
}

/** Names of files with tagged tokens, one token per line. */
export const TAGGED = /\.conllu?(\.(gz|gzip|zst|zstd))?$/i;

/**
 * Refuses a file that does not suit the default task.
 *
 * @throws ArgumentError
 */
export function checkTask(files: readonly string[], { task }: TaskFlag): void {
  const file = files.find((each) => TAGGED.test(each));
  if (task === undefined && file !== undefined) {
    throw constraint('task', `${file} contains tokens with tags, which a tagger learns from; give --task tag`);
  }
}

/**
 * Loads the model of a command. Its kind is that of its file.
 *
 * @throws ArgumentError for a kind that the command does not work with.
 */
export async function loadModel<C extends ModelCommand>(
  command: C,
  path: string,
  options: Omit<LoadOptions, 'tokenizer'> = {},
): Promise<ModelOf<C>> {
  const tasks: TaskOfKind[] = Object.values(TASKS);
  const able = tasks.filter((task) => task.commands.includes(command));
  try {
    return (await TASKS.classify.load(path, options)) as ModelOf<C>;
  } catch (error) {
    if (!(error instanceof ModelKindError)) throw error;
    const found = able.find(({ kind }) => kind === error.kind);
    if (found) return (await found.load(path, options)) as ModelOf<C>;
    const kinds = new Intl.ListFormat('en-GB').format(able.map(({ kind }) => `"${kind}"`));
    throw constraint(
      'model',
      `recurra ${command} works with models of kind ${kinds}; ${path} is a model of kind "${error.kind}"`,
    );
  }
}
