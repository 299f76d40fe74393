import { jsonLine } from '../../core/terminal.js';
import { type Diagnosis, diagnose } from '../../native/doctor.js';
import { EXIT } from '../output.js';

function lines(found: Diagnosis): string[] {
  const { versions, cpu, addon, libtorch, cuda } = found;
  const list = [
    `recurra   ${versions.recurra} on Node ${versions.node} (Node-API ${versions.napi}), ${found.platform}`,
    cpu
      ? `processor ${cpu.arch}, ${cpu.logicalProcessors} logical, ${cpu.features.join(' ') || 'no usable vector extensions'}`
      : 'processor unknown: the light addon did not load',
    addon.error ? `addon     FAILED: ${addon.error}` : `addon     ${addon.path}`,
  ];
  if (libtorch.error && found.ok) {
    const needed = 'needed only for recurra/torch, recurra/lesson and training on a GPU';
    const more = libtorch.install ?? libtorch.error.split('\n');
    list.push(
      libtorch.install
        ? `libtorch  ${libtorch.folder ? 'installed, but not the addon that uses it' : 'not installed'} (${needed}). To install it:`
        : `libtorch  not available (${needed}):`,
      ...more.map((line) => `          ${line}`),
    );
  } else if (libtorch.error) list.push(`libtorch  FAILED [${libtorch.code}]: ${libtorch.error}`);
  else if (libtorch.version) {
    list.push(`libtorch  ${libtorch.version} from ${libtorch.source}: ${libtorch.folder}, ${libtorch.threads} threads`);
  }
  list.push(cuda.available ? 'CUDA      available' : `CUDA      not available: ${cuda.reason}`);
  cuda.devices.forEach(({ name, computeCapability, memory }, index) => {
    list.push(
      `          cuda:${index} ${name}, ${(memory / 2 ** 30).toFixed(1)} GiB, compute capability ${computeCapability}`,
    );
  });
  return list;
}

/** `recurra doctor`: prints the state of this installation; exit code 1 if a required part does not work. */
export function doctorCommand(options: { json?: boolean }): number {
  const found = diagnose();
  if (options.json) jsonLine(found);
  else process.stdout.write(`${lines(found).join('\n')}\n`);
  return found.ok ? EXIT.ok : EXIT.failure;
}
