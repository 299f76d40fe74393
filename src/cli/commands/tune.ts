import { counted } from '../../core/counted.js';
import { constraint } from '../../core/errors.js';
import { checkOutputs } from '../../core/outputs.js';
import { printable } from '../../core/printable.js';
import { duration, jsonLine, note } from '../../core/terminal.js';
import { TextClassifier } from '../../models/classifier/classifier.js';
import type { TrainOptions } from '../../models/classifier/options.js';
import { TUNE, type TuneOptions } from '../../models/classifier/tuning/options.js';
import { LanguageModel } from '../../models/language/language.js';
import { progressDisplay } from '../../training/display.js';
import { TrainingError } from '../../training/errors.js';
import type { Tuning, TuningEvent } from '../../tuning/events.js';
import { deviceOption } from '../device.js';
import { flagName, givenOptions } from '../flags.js';
import { boardLines, tuningDisplay } from '../leaderboard.js';
import { EXIT } from '../output.js';
import { trainingInputs } from '../outputs.js';
import { readingDisplay } from '../reading.js';
import { noteSkipped, noteWarnings, openRows, openUnlabelled } from '../rows.js';
import { TAGGED } from '../tasks.js';
import { abortOnSignals, namedTokenizer, type TrainFlags } from './train.js';

/** Flags of `recurra tune`: also those of a training, which then apply to every trial. */
export type TuneFlags = Omit<TrainFlags, 'task' | 'checkpoint' | 'checkpointEvery' | 'resume' | 'tensorboard'>;

/** The options built from the flags. */
async function tuneOptions(flags: TuneFlags, reading: Parameters<typeof openRows>[2]): Promise<TuneOptions> {
  const options: TuneOptions = { ...givenOptions<TuneOptions>(TUNE, flags), ...deviceOption(flags) };
  const { tokenizer, unlabelled, validation, encoder, threads } = flags;
  if (tokenizer !== undefined) options.tokenizer = await namedTokenizer(tokenizer);
  if (unlabelled !== undefined) options.unlabelled = openUnlabelled(unlabelled, flags);
  if (encoder !== undefined)
    options.encoder = await LanguageModel.load(encoder, threads === undefined ? {} : { threads });
  if (validation !== undefined) {
    const share = Number(validation);
    options.validation = Number.isFinite(share) ? share : openRows(validation, flags, reading);
  }
  return options;
}

/** Options as the flags of `recurra train`. */
function flagsOf(options: TrainOptions): string {
  const flags = Object.entries(options).flatMap(([name, value]) => {
    if (typeof value === 'boolean' && name !== 'subwords') {
      const negated = { linear: true, recurrent: true, bidirectional: true, bucketing: true }[name] === true;
      if (negated) return value ? [] : [`--no-${flagName(name).slice(2)}`];
      return value ? [flagName(name)] : [];
    }
    if (name === 'subwords' && value === false) return ['--subwords 0'];
    if (name === 'subwords' && value === true) return ['--subwords 20000'];
    return typeof value === 'number' || typeof value === 'string' ? [`${flagName(name)} ${value}`] : [];
  });
  return flags.join(' ');
}

function tell(event: TuningEvent): void {
  const { type, ...rest } = event;
  if (event.type === 'failure') {
    const { code, message } = event.error;
    jsonLine({ event: type, ...rest, error: { code, message } });
  } else {
    jsonLine({ event: type, ...rest });
  }
}

function summary(flags: TuneFlags, tuning: Tuning<TextClassifier, TrainOptions>): void {
  const { winner, leaderboard, verdict, seconds, options, model } = tuning;
  if (flags.json) {
    const plain = Object.entries(options).filter(
      ([, value]) => typeof value !== 'object' && typeof value !== 'function',
    );
    const found = { winner, leaderboard, verdict, options: Object.fromEntries(plain) };
    jsonLine({ event: 'end', model: flags.out, rows: model.trainedRows, ...found, seconds, interrupted: false });
    return;
  }
  const again = printable(flagsOf(options)) || 'without further flags';
  const same = Number.isFinite(Number(flags.validation ?? 0)) ? `; recurra train ${again} gives the same model` : '';
  const lines = [
    ...boardLines(leaderboard),
    '',
    printable(verdict),
    `${printable(flags.out)}: ${counted(model.trainedRows)}, ${counted(model.labels.length, 'label')}, ${duration(seconds)}${same}`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

/** `recurra tune`: searches for the best settings and saves a model trained with them. */
export async function tuneCommand(file: string, flags: TuneFlags): Promise<number> {
  if (TAGGED.test(file) && flags.format === undefined)
    throw constraint('file', `${file} contains tokens with tags; recurra tune needs labelled texts`);
  await checkOutputs([{ option: 'out', what: 'the model', path: flags.out }], trainingInputs(file, flags));
  const json = flags.json === true;
  const reading = readingDisplay(json);
  const display = json ? { update: tell, stop() {} } : tuningDisplay();
  const training = progressDisplay({ json });
  const rows = openRows(file, flags, reading.update);
  const options = await tuneOptions(flags, reading.update);
  const { signal, release } = abortOnSignals('stopping; a model of the best settings so far, if any, will be saved');
  const stop = () => {
    reading.stop();
    display.stop();
    training.stop();
    release();
  };
  try {
    const tuning = await TextClassifier.tune(rows, {
      ...options,
      signal,
      onEvent: display.update,
      onProgress: training.update,
    });
    stop();
    await tuning.model.save(flags.out);
    noteWarnings(rows, json);
    noteSkipped(rows);
    summary(flags, tuning);
    return EXIT.ok;
  } catch (error) {
    stop();
    if (!(error instanceof TrainingError) || !error.model) throw error;
    const { code, message, model } = error as TrainingError<TextClassifier>;
    await model!.save(flags.out);
    if (json) {
      jsonLine({ event: 'error', code, message });
      jsonLine({ event: 'end', model: flags.out, rows: model!.trainedRows, interrupted: true });
    }
    note(`recurra: ${message}; it is saved in ${flags.out} [${code}]`);
    return code === 'ABORTED' ? EXIT.interrupted : EXIT.failure;
  } finally {
    await (options.encoder as LanguageModel | undefined)?.close();
  }
}
