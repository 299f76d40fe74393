/**
 * Compares recurra with PyTorch on one GPU: both do the same work on the same made-up texts, in turns.
 *
 * npm run bench -- cuda [quick|full] [--only PATTERN] [--repeats N] [--seconds S] [--python FILE] [--json FILE]
 *
 * The Python must have a torch with CUDA. See bench/README.md.
 */
import { cuda } from 'recurra/torch';
import { BenchError } from './compare/python.js';
import { compare } from './compare/run.js';
import { gpuWorks } from './compare/works/gpu.js';

const { available, code, reason, devices } = cuda.status();
if (available) {
  console.error(`GPU: ${devices[0]!.name}`);
  await compare(gpuWorks, ({ versions }) => {
    if (versions.gpu === null)
      throw new BenchError(`torch ${versions.torch} of this Python sees no GPU: --python FILE`);
  });
} else {
  console.error(`There is no GPU to measure on: ${reason} [${code}]`);
  process.exitCode = 2;
}
