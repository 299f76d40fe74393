/**
 * Runs one of the examples in this folder: `npm run demo -- [NAME] [OPTIONS]`, with NAME a folder that has a `demo.ts`. Without a name,
 * `wordnet`.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const folder = fileURLToPath(new URL('.', import.meta.url));
const names = readdirSync(folder).filter((name) => existsSync(join(folder, name, 'demo.ts')));
const [given] = process.argv.slice(2);
const named = given !== undefined && !given.startsWith('-');
if (named) process.argv.splice(2, 1);
const name = named ? given : 'wordnet';
if (names.includes(name)) {
  await import(pathToFileURL(join(folder, name, 'demo.ts')).href);
} else {
  console.error(`Usage: npm run demo -- [NAME] [OPTIONS]\nwith NAME one of ${names.join(', ')}`);
  process.exitCode = 2;
}
