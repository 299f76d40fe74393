import { basename } from 'node:path';
import { counted } from '../../core/counted.js';
import { jsonLine, note } from '../../core/terminal.js';
import type { TextClassifier } from '../../models/classifier/classifier.js';
import { LanguageModel } from '../../models/language/language.js';
import { Seq2Seq } from '../../models/seq2seq/seq2seq.js';
import { SERVING } from '../../models/serving/options.js';
import { TextTagger } from '../../models/tagger/tagger.js';
import { SERVER, type ServerLogEntry, type ServerOptions, serverSettings } from '../../serve/options.js';
import { COMPUTE } from '../../training/options/train.js';
import { noteFewRows } from '../answering.js';
import { type LoadFlags, loadOptions } from '../device.js';
import { givenOptions } from '../flags.js';
import { EXIT } from '../output.js';
import { refuseFlags } from '../rows.js';
import { onStopSignal } from '../signals.js';
import { loadModel } from '../tasks.js';

/** Flags of `recurra serve` that are not options of the server or of serving. */
export interface ServeFlags extends LoadFlags {
  json?: boolean;
}

/** Bytes of log buffered for a slow reader; further lines are dropped. */
const MOST_WAITING = 1 << 24;

/** Resolves at the first signal that ends a process; a second one ends it at once. */
function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let asked = false;
    onStopSignal((signal) => {
      if (asked) process.exit(EXIT.interrupted);
      asked = true;
      resolve(signal);
    });
  });
}

function log(json: boolean): (entry: ServerLogEntry) => void {
  return (entry) => {
    if (entry.event === 'request') {
      // A log that is not read must not fill the memory.
      if (json && process.stdout.writableLength < MOST_WAITING) jsonLine({ time: new Date().toISOString(), ...entry });
      return;
    }
    const { error, route } = entry;
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
    if (json) jsonLine({ time: new Date().toISOString(), event: 'fault', route, error: stack });
    note(`recurra: ${route} failed: ${stack}`);
  };
}

/** Refuses flags that do not apply to a model of this kind. */
function checkFlags(model: TextClassifier | TextTagger | LanguageModel | Seq2Seq, flags: ServeFlags): void {
  const { maxNewTokens, maxConcurrent, maxTexts, topK, precision, ...any } = SERVER;
  const used = [any, { threads: COMPUTE.threads }];
  if (model instanceof LanguageModel)
    refuseFlags(
      flags,
      { ...SERVER, ...COMPUTE, ...SERVING },
      [...used, { maxNewTokens, maxConcurrent }],
      'a language model',
    );
  else if (model instanceof Seq2Seq)
    refuseFlags(flags, { ...SERVER, ...COMPUTE }, [...used, { maxTexts }], 'a model of pairs');
  else
    refuseFlags(
      flags,
      { maxNewTokens, maxConcurrent, precision },
      model instanceof TextTagger ? [] : [{ maxConcurrent, precision }],
      model instanceof TextTagger ? 'a tagger' : 'a classifier',
    );
}

/** `recurra serve`: answers over HTTP until a signal arrives, then finishes the requests in progress and ends. */
export async function serveCommand(modelFile: string, flags: ServeFlags): Promise<number> {
  const { json = false, threads } = flags;
  // A large model is not loaded for a wrong flag.
  serverSettings(givenOptions<ServerOptions>(SERVER, flags));
  const stopped = stopSignal();
  // Imported here because the framework would slow down the start of every other command.
  const { createServer } = await import('../../serve/index.js');
  const model = await loadModel('serve', modelFile, {
    ...(threads === undefined ? {} : { threads }),
    ...loadOptions(flags),
  });
  checkFlags(model, flags);
  noteFewRows(model, givenOptions<ServerOptions>(SERVER, flags).precision);
  const shared = model instanceof LanguageModel ? undefined : model;
  shared?.setServing(givenOptions(SERVING, flags));
  const server = await createServer(model, {
    name: basename(modelFile).replace(/\.safetensors$/, '') || 'model',
    ...givenOptions(SERVER, flags),
    log: log(json),
  });
  const url = await server.listen();
  if (json)
    jsonLine({
      event: 'listening',
      url,
      model: modelFile,
      ...(shared && 'labels' in shared && { labels: shared.labels.length }),
    });
  note(`recurra: ${modelFile} answers at ${url} (Ctrl-C or SIGTERM ends it)`);
  const signal = await stopped;
  note(`recurra: ${signal}: finishing open requests; a second signal ends at once`);
  shared?.setServing({ maxWait: 0 });
  const cut = await server.close();
  await model.close();
  if (json) jsonLine({ event: 'end', signal, cutOff: cut });
  if (cut > 0) note(`recurra: ${counted(cut, 'request')} took too long and ${cut === 1 ? 'was' : 'were'} cut off`);
  return cut > 0 ? EXIT.failure : EXIT.ok;
}
