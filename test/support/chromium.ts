import { existsSync } from 'node:fs';

const PLACES = [
  process.env.RECURRA_CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** Path of a Chromium for the tests of pages. Undefined, with a warning, where there is none: they are skipped, and say so. */
export function chromiumPath(): string | undefined {
  const found = PLACES.find((path) => path && existsSync(path));
  if (!found) console.warn('tests of pages are skipped: install chromium, or set RECURRA_CHROMIUM to its path');
  return found || undefined;
}
