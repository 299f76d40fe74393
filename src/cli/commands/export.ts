import { checkOutputs } from '../../core/outputs.js';
import { jsonLine, note } from '../../core/terminal.js';
import { EXPORTS, type ExportName, exportModel } from '../../export/index.js';
import { EXIT } from '../output.js';
import { loadModel } from '../tasks.js';
import { abortOnSignals } from './train.js';

/** Flags of `recurra export`. */
export interface ExportFlags {
  to: ExportName;
  out: string;
  json?: boolean;
}

/** `recurra export`: writes a model in another program's format. */
export async function exportCommand(modelFile: string, { to, out, json }: ExportFlags): Promise<number> {
  const output = { option: 'out', what: 'the exported model', path: out, folder: EXPORTS[to].folder };
  await checkOutputs([output], [{ what: 'the model', path: modelFile }]);
  const { signal, release } = abortOnSignals('stopping');
  try {
    const model = await loadModel('export', modelFile);
    const { files, notes } = await exportModel(model, { to, out, signal });
    for (const each of notes) note(each);
    if (json) jsonLine({ event: 'end', to, files, notes });
    else process.stdout.write(`${files.join('\n')}\n`);
    return EXIT.ok;
  } finally {
    release();
  }
}
