import type { Command } from 'commander';
import { REPORT } from '../../report/options.js';
import { type CardFlags, cardCommand } from '../commands/card.js';
import { type ReportFlags, reportCommand } from '../commands/report.js';
import { deviceFlag } from '../device.js';
import { addFlags } from '../flags.js';
import { COLUMNS_HELP } from '../modelColumns.js';
import { rowFlags } from '../rows.js';

const JSON_HELP = 'write JSON lines, and nothing else, to standard output';

/** The commands that show what a model does: `recurra report` and `recurra card`. */
export function reportCommands(program: Command, done: (exitCode: number) => void): void {
  const report = rowFlags(
    program
      .command('report')
      .description('Write a self-contained page that shows how a model does on rows it has not seen.')
      .argument('<model>', 'file that recurra train wrote')
      .argument('<file...>', 'files of rows that the model has not seen, as recurra evaluate takes it')
      .option('--out <file>', 'page to write (default: report.html; with --json none)'),
  );
  deviceFlag(addFlags(report, REPORT))
    .option('--title <text>', 'heading of the page (default: Model report)')
    .option('--events <file>', 'output of recurra train --json: adds curves within epochs, and times')
    .option('--json', `${JSON_HELP}: the data of the report`)
    .addHelpText('after', COLUMNS_HELP)
    .action(async (model: string, files: string[], flags: ReportFlags) =>
      done(await reportCommand(model, files, flags)),
    );
  program
    .command('card')
    .description(
      'Write a model card for model hubs, in Markdown: what the model is, how it was trained, how it performs.',
    )
    .argument('<model>', 'file that recurra train wrote')
    .option('--out <file>', 'file to write, such as README.md (default: standard output)')
    .option('--name <name>', 'name of the model (default: the name of its file)')
    .option('--json', 'write the training record of the file as one JSON line instead')
    .action(async (model: string, flags: CardFlags) => done(await cardCommand(model, flags)));
}
