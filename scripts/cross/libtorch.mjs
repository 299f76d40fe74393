// Opens a libtorch with the light addon, as `recurra/torch` does first, and prints the version that it reports. Run by any Node with nothing but
// dist and the addon: node scripts/cross/libtorch.mjs FOLDER

import { locateLibtorch, openLocated } from '../../dist/native/libtorch.js';

const located = locateLibtorch({ ...process.env, RECURRA_LIBTORCH: process.argv[2] });
process.stdout.write(`${JSON.stringify({ library: located.library, version: openLocated(located) })}\n`);
