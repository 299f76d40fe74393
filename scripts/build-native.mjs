// Builds the addons into native/ and writes index.d.ts.
//   node scripts/build-native.mjs [--light] [--torch]      both when neither is named

import { parseArgs } from 'node:util';
import { buildNative } from './native/build.mjs';

try {
  const { values } = parseArgs({ options: { light: { type: 'boolean' }, torch: { type: 'boolean' } } });
  const names = Object.keys(values);
  await buildNative({ names: names.length > 0 ? names : undefined });
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
