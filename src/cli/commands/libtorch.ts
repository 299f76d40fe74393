import { jsonLine, note } from '../../core/terminal.js';
import {
  type InstallOptions,
  installations,
  installLibtorch,
  readable,
  removeLibtorch,
} from '../../libtorch/manage.js';
import { ByteProgress } from '../../libtorch/progress.mjs';
import { locateLibtorch } from '../../native/libtorch.js';
import { EXIT } from '../output.js';
import { onStopSignal } from '../signals.js';

/** Flags of `recurra libtorch`'s commands. */
export interface LibtorchFlags extends InstallOptions {
  json?: boolean;
}

const MS_BETWEEN_JSON_LINES = 1000;
const VERBS = { fetch: 'downloading', unpack: 'unpacking and checking' } as const;

/** A display of progress that ends one bar when the next step begins. */
function display(json: boolean) {
  let step: keyof typeof VERBS | undefined;
  let bar: InstanceType<typeof ByteProgress> | undefined;
  let last = 0;
  const stop = () => {
    bar?.end();
    bar = undefined;
    step = undefined;
  };
  return {
    stop,
    say(text: string) {
      stop();
      if (json) jsonLine({ event: 'note', text });
      else note(text);
    },
    progress(now: keyof typeof VERBS, done: number, total: number) {
      if (json) {
        if (done < total && Date.now() - last < MS_BETWEEN_JSON_LINES) return;
        last = Date.now();
        jsonLine({ event: 'progress', step: now, done, total });
        return;
      }
      if (step !== now) {
        stop();
        step = now;
        bar = new ByteProgress('libtorch', VERBS[now], total);
      }
      bar?.set(done);
    },
  };
}

/** `recurra libtorch install`: makes libtorch available to tensors. */
export async function libtorchInstallCommand({ json = false, ...options }: LibtorchFlags): Promise<number> {
  // Only an orderly exit releases the lock and keeps a partial download.
  const leave = () => process.exit(EXIT.interrupted);
  const release = onStopSignal(leave);
  const shownProgress = display(json);
  try {
    const installed = await installLibtorch(options, shownProgress);
    shownProgress.stop();
    if (json) jsonLine({ event: 'end', ...installed });
    else {
      const how = { present: 'is already installed', linked: 'is linked', installed: 'is installed' }[installed.action];
      note(`libtorch ${how}: ${installed.folder}${installed.bytes ? ` (${readable(installed.bytes)})` : ''}`);
      if (options.dir !== undefined && options.platform === undefined)
        note(`To use it, set RECURRA_LIBTORCH=${installed.folder}${options.cuda ? '/torch' : ''}.`);
      if (options.platform !== undefined)
        note(`It is built for ${options.platform}: copy it to that machine and set RECURRA_LIBTORCH to the folder.`);
      if (options.cuda) note('recurra doctor says whether this machine and this version can use CUDA.');
    }
    return EXIT.ok;
  } finally {
    shownProgress.stop();
    release();
  }
}

/** `recurra libtorch list`: what is installed, which place is used, and why the others are not. */
export function libtorchListCommand({ json = false }: LibtorchFlags): number {
  const installed = installations();
  let used: { source: string; folder: string } | undefined;
  let error: string | undefined;
  try {
    const { source, folder } = locateLibtorch();
    used = { source, folder };
  } catch (caught) {
    error = (caught as Error).message;
  }
  if (json) {
    jsonLine({ installed, used });
    return EXIT.ok;
  }
  for (const { folder, variant, bytes, linked } of installed)
    process.stdout.write(`${variant.padEnd(5)} ${folder}  ${linked ? `links to ${linked}` : readable(bytes)}\n`);
  if (installed.length === 0) process.stdout.write('nothing is installed in the cache folder\n');
  process.stdout.write(used ? `used: ${used.folder} (${used.source})\n` : `used: none. ${error}\n`);
  return EXIT.ok;
}

/** `recurra libtorch where`: prints only the folder in use; exit code 1 if there is none. */
export function libtorchWhereCommand({ json = false }: LibtorchFlags): number {
  const { source, folder, library, version } = locateLibtorch();
  if (json) jsonLine({ source, folder, library, version });
  else process.stdout.write(`${folder}\n`);
  return EXIT.ok;
}

/** `recurra libtorch remove`: removes an installation from the cache folder. */
export async function libtorchRemoveCommand({ json = false, cuda = false }: LibtorchFlags): Promise<number> {
  const bytes = await removeLibtorch(cuda);
  if (json) jsonLine({ event: 'end', bytes });
  else note(bytes > 0 ? `removed, ${readable(bytes)} freed` : 'nothing was installed');
  return EXIT.ok;
}
