import { type Command, Option } from 'commander';
import { constraint } from '../core/errors.js';
import { TextClassifier } from '../models/classifier/classifier.js';
import { type ModelKind, ModelKindError } from '../models/description.js';
import type { LoadOptions } from '../models/load.js';

/** A command that works with a model. */
export type ModelCommand = 'evaluate' | 'predict' | 'serve' | 'explain';

interface TaskOfKind {
  kind: ModelKind;
  commands: readonly ModelCommand[];
}

/** What a model can be trained for, as `--task` names it; undefined for a name that this version keeps for a later one. */
const TASKS = {
  classify: { kind: 'classifier', commands: ['evaluate', 'predict', 'serve', 'explain'] },
  tag: undefined,
  language: undefined,
  seq2seq: undefined,
} as const satisfies Record<string, TaskOfKind | undefined>;

type TaskName = keyof typeof TASKS;
const NAMES = Object.keys(TASKS) as TaskName[];

/** Those that this version has. */
const available = NAMES.filter((name) => TASKS[name] !== undefined);

/** Flag of `recurra train`. */
export interface TaskFlag {
  task?: TaskName;
}

/** Adds it. Commander is told of no default: some files ask for the task to be named. */
export function taskFlag(command: Command): Command {
  return command.addOption(
    new Option('--task <task>', 'what the model is for (default: classify, the only one in this version)').choices(
      NAMES,
    ),
  );
}

/** Names of files that hold tokens with tags, one token a line. */
const TAGGED = /\.conllu?(\.(gz|gzip|zst|zstd))?$/i;

/**
 * Refuses a task that this version does not have, and a file that is not for the default task.
 *
 * @throws ArgumentError
 */
export function checkTask(file: string, { task }: TaskFlag): void {
  if (task === undefined && TAGGED.test(file)) {
    throw constraint('task', `${file} holds tokens with tags, from which a tagger learns; give --task tag`);
  }
  if (task !== undefined && !available.includes(task)) {
    throw constraint('task', `this version of recurra has --task ${available.join(', ')} only, not ${task}`);
  }
}

/**
 * Loads the model of a command. Its kind is that of its file.
 *
 * @throws ArgumentError for a kind that the command does not work with.
 */
export async function loadModel(
  command: ModelCommand,
  path: string,
  options: LoadOptions = {},
): Promise<TextClassifier> {
  try {
    return await TextClassifier.load(path, options);
  } catch (error) {
    if (!(error instanceof ModelKindError)) throw error;
    const tasks: (TaskOfKind | undefined)[] = Object.values(TASKS);
    const kinds = tasks.filter((task) => task?.commands.includes(command)).map((task) => `"${task!.kind}"`);
    throw constraint(
      'model',
      `recurra ${command} works with models of the kind ${kinds.join(', ')}; ${path} is of the kind "${error.kind}"`,
    );
  }
}
