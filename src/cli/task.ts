import { type Command, Option } from 'commander';
import { constraint } from '../core/errors.js';

/** What a model can be trained for, as `--task` names it. */
const TASKS = ['classify', 'tag', 'language', 'seq2seq'] as const;
type Task = (typeof TASKS)[number];

/** Those that this version has. */
const AVAILABLE: readonly Task[] = ['classify'];

/** Flag of `recurra train`. */
export interface TaskFlag {
  task?: Task;
}

/** Adds it. Its default is known here alone: a file may ask for a task to be named. */
export function taskFlag(command: Command): Command {
  return command.addOption(
    new Option('--task <task>', 'what the model is for (default: classify, the only one in this version)').choices(
      TASKS,
    ),
  );
}

/** Files of tokens with tags, one token a line. */
const TAGGED = /\.conllu?(\.(gz|gzip|zst|zstd))?$/i;

/**
 * Refuses a task that this version does not have, and a file that is for another task than the default one.
 *
 * @throws ArgumentError
 */
export function checkTask(file: string, { task }: TaskFlag): void {
  if (task === undefined && TAGGED.test(file)) {
    throw constraint('task', `${file} holds tokens with tags, from which a tagger learns; give --task tag`);
  }
  if (task !== undefined && !AVAILABLE.includes(task)) {
    throw constraint('task', `this version of recurra has --task ${AVAILABLE.join(', ')} only, not ${task}`);
  }
}
