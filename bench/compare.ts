/**
 * Compares recurra with PyTorch on this machine: both do the same work on the same made-up texts, in turns.
 *
 * npm run bench -- [quick|full] [--only PATTERN] [--repeats N] [--seconds S] [--python FILE] [--json FILE]
 *
 * See bench/README.md for what is compared and how the settings are made fair.
 */
import { compare } from './compare/run.js';
import { works } from './compare/works/index.js';

await compare(works);
