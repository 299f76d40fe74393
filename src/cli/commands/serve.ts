import { TextClassifier } from '../../models/classifier/classifier.js';
import type { ServerLogEntry } from '../../serve/index.js';
import { type DeviceFlag, deviceOption } from '../device.js';
import { EXIT, jsonLine, note } from '../output.js';

/** Flags of `recurra serve`. */
export interface ServeFlags extends DeviceFlag {
  host?: string;
  port?: number;
  threads?: number;
  maxBatch?: number;
  maxWait?: number;
  maxQueue?: number;
  bodyLimit?: number;
  maxTextLength?: number;
  maxTexts?: number;
  topK?: number;
  rateLimit?: number;
  trustProxy?: boolean;
  stopTimeout?: number;
  page: boolean;
  json?: boolean;
}

/** The object without what is undefined. */
function given<T extends object>(object: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as never;
}

/** Resolves at the first Ctrl-C or SIGTERM; a second one ends the process at once. */
function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let asked = false;
    const stop = (signal: NodeJS.Signals) => {
      if (asked) process.exit(EXIT.interrupted);
      asked = true;
      resolve(signal);
    };
    process.on('SIGINT', stop).on('SIGTERM', stop);
  });
}

function log(json: boolean): (entry: ServerLogEntry) => void {
  return (entry) => {
    if (entry.event === 'request') {
      if (json) jsonLine({ time: new Date().toISOString(), ...entry });
      return;
    }
    const { error, route } = entry;
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
    if (json) jsonLine({ time: new Date().toISOString(), event: 'fault', route, error: stack });
    note(`recurra: ${route} failed: ${stack}`);
  };
}

/** `recurra serve`: answers over HTTP until a signal comes, and then ends with nothing under way lost. */
export async function serveCommand(modelFile: string, flags: ServeFlags): Promise<number> {
  const { json = false, threads, device: _, maxBatch, maxWait, maxQueue, ...options } = flags;
  const stopped = stopSignal();
  // Only here: the framework would make every other command slow to start.
  const { createServer } = await import('../../serve/index.js');
  const model = await TextClassifier.load(modelFile, { ...given({ threads }), ...deviceOption(flags) });
  model.setServing(given({ maxBatch, maxWait, maxQueue }));
  const server = await createServer(model, { ...given(options), log: log(json) });
  const url = await server.listen();
  if (json) jsonLine({ event: 'listening', url, model: modelFile, labels: model.labels.length });
  note(`recurra: ${modelFile} answers at ${url} (Ctrl-C or SIGTERM ends it)`);
  const signal = await stopped;
  note(`recurra: ${signal}: answering what is under way; a second signal ends at once`);
  model.setServing({ maxWait: 0 });
  const cut = await server.close();
  await model.close();
  if (json) jsonLine({ event: 'end', signal, cutOff: cut });
  if (cut > 0) note(`recurra: ${cut} requests took too long and were cut off`);
  return cut > 0 ? EXIT.failure : EXIT.ok;
}
