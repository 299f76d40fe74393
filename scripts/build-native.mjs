// Builds the addons into native/ and writes index.d.ts.
//   node scripts/build-native.mjs [--light] [--torch]      both when neither is named

import { parseArgs } from 'node:util';
import { buildNative } from './native/build.mjs';

const { values } = parseArgs({ options: { light: { type: 'boolean' }, torch: { type: 'boolean' } } });
const names = Object.keys(values).length > 0 ? Object.keys(values) : undefined;
try {
  await buildNative({ names });
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
