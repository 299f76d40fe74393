import { stat } from 'node:fs/promises';
import { bytesInWords } from '../../core/byteSize.js';
import { counted } from '../../core/counted.js';
import { constraint } from '../../core/errors.js';
import { checkOutputs } from '../../core/outputs.js';
import { printable } from '../../core/printable.js';
import { duration, jsonLine, note } from '../../core/terminal.js';
import { ROWS } from '../../data/readers/options.js';
import { TAGS } from '../../data/readers/readTags.js';
import type { Rows } from '../../data/readers/rows.js';
import { TextClassifier } from '../../models/classifier/classifier.js';
import { TUNE, type TuneOptions } from '../../models/classifier/tuning/options.js';
import { LanguageModel } from '../../models/language/language.js';
import type { TagRows } from '../../models/tagger/rows.js';
import { TextTagger } from '../../models/tagger/tagger.js';
import { TAGGER_TUNE, type TaggerTuneOptions } from '../../models/tagger/tuning/options.js';
import { progressDisplay } from '../../training/display.js';
import { TrainingError } from '../../training/errors.js';
import type { Tuning, TuningEvent } from '../../tuning/events.js';
import { deviceOption } from '../device.js';
import { flagName, givenOptions } from '../flags.js';
import { boardLines, tuningDisplay } from '../leaderboard.js';
import { EXIT } from '../output.js';
import { trainingInputs } from '../outputs.js';
import { readingDisplay } from '../reading.js';
import { noteSkipped, noteWarnings, openRows, openTags, openUnlabelled, refuseFlags } from '../rows.js';
import { TAGGED } from '../tasks.js';
import { abortOnSignals, namedTokenizer, type TrainFlags } from './train.js';

/** Flags of `recurra tune`: also those of a training, which then apply to every trial. */
export interface TuneFlags
  extends Omit<TrainFlags, 'task' | 'checkpoint' | 'checkpointEvery' | 'resume' | 'tensorboard'> {
  /** What the model is for; classify if undefined. */
  task?: 'classify' | 'tag';
}

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
    const { group: _, ...others } = flags;
    options.validation = Number.isFinite(share) ? share : openRows(validation, others, reading);
  }
  return options;
}

/** The options of a search for a tagger's settings, built from the flags. */
async function tagOptions(flags: TuneFlags, reading: Parameters<typeof openTags>[2]): Promise<TaggerTuneOptions> {
  const options: TaggerTuneOptions = { ...givenOptions<TaggerTuneOptions>(TAGGER_TUNE, flags), ...deviceOption(flags) };
  const { unlabelled, validation, encoder, threads } = flags;
  if (unlabelled !== undefined) options.unlabelled = openUnlabelled(unlabelled, {});
  if (encoder !== undefined)
    options.encoder = await LanguageModel.load(encoder, threads === undefined ? {} : { threads });
  if (validation !== undefined) {
    const share = Number(validation);
    options.validation = Number.isFinite(share) ? share : openTags(validation, flags, reading);
  }
  return options;
}

/** Options as the flags of `recurra train`. */
function flagsOf(options: object): string {
  const flags = Object.entries(options).flatMap(([name, value]) => {
    if (typeof value === 'boolean' && name !== 'subwords') {
      const negated = ['linear', 'recurrent', 'bidirectional', 'bucketing', 'lowercase'].includes(name);
      if (negated) return value ? [] : [`--no-${flagName(name).slice(2)}`];
      return value ? [flagName(name)] : [];
    }
    if (name === 'subwords' && value === false) return ['--subwords 0'];
    if (name === 'scheme' && value === null) return ['--scheme none'];
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

function summary(flags: TuneFlags, tuning: Tuning<TextClassifier | TextTagger, object>, bytes: number): void {
  const { winner, leaderboard, verdict, seconds, options, model } = tuning;
  if (flags.json) {
    const plain = Object.entries(options).filter(
      ([, value]) => typeof value !== 'object' && typeof value !== 'function',
    );
    const found = { winner, leaderboard, verdict, options: Object.fromEntries(plain) };
    jsonLine({ event: 'end', model: flags.out, bytes, rows: model.trainedRows, ...found, seconds, interrupted: false });
    return;
  }
  const task = model instanceof TextTagger ? '--task tag ' : '';
  const again = task + (printable(flagsOf(options)) || 'without further flags');
  const same = Number.isFinite(Number(flags.validation ?? 0)) ? `; recurra train ${again} gives the same model` : '';
  const lines = [
    ...boardLines(leaderboard),
    '',
    printable(verdict),
    `${printable(flags.out)} (${bytesInWords(bytes)}): ${counted(model.trainedRows)}, ${counted(model.labels.length, 'label')}, ${duration(seconds)}${same}`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

/** `recurra tune`: searches for the best settings and saves a model trained with them. */
export async function tuneCommand(files: readonly string[], flags: TuneFlags): Promise<number> {
  const { task = 'classify' } = flags;
  const tagged = files.find((file) => TAGGED.test(file));
  if (task === 'classify' && tagged !== undefined && flags.format === undefined)
    throw constraint('task', `${tagged} contains tokens with tags, which a tagger learns from; give --task tag`);
  if (task === 'tag') refuseFlags(flags, { ...TUNE, ...ROWS }, [TAGGER_TUNE, TAGS], '--task tag');
  else refuseFlags(flags, { ...TAGGER_TUNE, ...TAGS }, [TUNE, ROWS], '--task classify');
  await checkOutputs([{ option: 'out', what: 'the model', path: flags.out }], trainingInputs(files, flags));
  const json = flags.json === true;
  const reading = readingDisplay(json);
  const display = json ? { update: tell, stop() {} } : tuningDisplay();
  const training = progressDisplay({ json });
  const [rows, options] =
    task === 'tag'
      ? [openTags(files, flags, reading.update), await tagOptions(flags, reading.update)]
      : [openRows(files, flags, reading.update), await tuneOptions(flags, reading.update)];
  const { signal, release } = abortOnSignals('stopping; a model of the best settings so far, if any, will be saved');
  const stop = () => {
    reading.stop();
    display.stop();
    training.stop();
    release();
  };
  try {
    const watched = { ...options, signal, onEvent: display.update, onProgress: training.update };
    const tuning: Tuning<TextClassifier | TextTagger, object> =
      task === 'tag'
        ? await TextTagger.tune(rows as TagRows, watched as TaggerTuneOptions)
        : await TextClassifier.tune(rows as Rows, watched as TuneOptions);
    stop();
    await tuning.model.save(flags.out);
    noteWarnings(rows, json);
    noteSkipped(rows);
    summary(flags, tuning, (await stat(flags.out)).size);
    return EXIT.ok;
  } catch (error) {
    stop();
    if (!(error instanceof TrainingError) || !error.model) throw error;
    const { code, message, model } = error as TrainingError<TextClassifier | TextTagger>;
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
