/**
 * Runs one of the benchmarks in this folder: `npm run bench -- NAME [OPTIONS]`. Without a name, or with `quick` or `full`, the comparison
 * with PyTorch.
 */
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const folder = fileURLToPath(new URL('.', import.meta.url));
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.ts') && file !== 'main.ts')
  .map((file) => basename(file, '.ts'));
let name = process.argv[2] ?? 'compare';
if (name === 'quick' || name === 'full' || name.startsWith('-')) name = 'compare';
else process.argv.splice(2, 1);
if (!names.includes(name)) {
  console.error(`Usage: npm run bench -- [NAME] [OPTIONS]\nwith NAME one of ${names.join(', ')}`);
  process.exitCode = 2;
} else {
  await import(pathToFileURL(join(folder, `${name}.ts`)).href);
}
