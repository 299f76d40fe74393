import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { TextClassifier } from '../../src/index.js';
import { createServer, type ModelServer } from '../../src/serve/index.js';
import { chromiumPath } from '../support/chromium.js';
import { expectReadable, hold, LOOKS, openPage, startBrowser, walk } from '../support/page.js';
import { topicTexts } from '../support/texts.js';

/** A label that would do harm if it were taken for HTML, as the text below would. */
const HOSTILE_LABEL = '<img src=x onerror="document.title=1">';
const HOSTILE_TEXT = '<script>document.title = 2</script><b>bold</b> & "fur"';

describe.skipIf(!chromiumPath())('the page of a classifier', () => {
  let model: TextClassifier;
  let server: ModelServer;
  let browser: Browser;
  let page: Page;
  let complaints: string[];

  beforeAll(async () => {
    const rows = topicTexts(300).map(({ label, text }) => ({ text, label: label === 'food' ? HOSTILE_LABEL : label }));
    const options = { embeddingDim: 16, hiddenSize: 16, lr: 1e-2, seed: 1, validation: 0.2, linear: false };
    model = await TextClassifier.train(rows, options);
    server = await createServer(model, { port: 0, maxTexts: 5, name: '<b>Topics</b>' });
    await server.listen();
    browser = await startBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
    await model?.close();
  });
  afterEach(() => page.context().close());

  async function open(looks = {}): Promise<void> {
    ({ page, complaints } = await openPage(browser, server.url!, looks));
  }
  const text = () => page.getByRole('textbox', { name: 'Text' });
  const status = (said: string) => page.locator('#done').filter({ hasText: said }).waitFor({ state: 'attached' });

  it.each(LOOKS)('fits $width pixels and can be read in $scheme', async (looks) => {
    await open(looks);
    await expectReadable(page);
    await text().fill('a dog with a hammer of zyx');
    await page.locator('blockquote .for').first().waitFor();
    await page.getByLabel('Unsure below').fill('100');
    await page.getByText('Unsure', { exact: true }).waitFor();
    await page.locator('#tried li').waitFor();
    await expectReadable(page);
    expect(complaints).toEqual([]);
  });

  it('answers as one types, and shows what speaks for a label', async () => {
    await open();
    expect(await page.locator('h1').textContent()).toBe('<b>Topics</b>');
    expect(await page.locator('.tile').allTextContents()).toEqual([
      expect.stringMatching(/^Accuracy[\d.]+ %on \d+ validation rows$/),
      expect.stringMatching(/^Trained on\d+ rows\d+ epochs$/),
    ]);
    await text().pressSequentially('a dog with zyx', { delay: 5 });
    await status('animal, ');
    const expected = await model.explain('a dog with zyx');
    const article = page.getByRole('article');
    expect(await article.locator('.verdict').textContent()).toMatch(/^animal \d+\.\d %$/);
    const parts = article.locator('blockquote span');
    expect(await parts.allTextContents()).toEqual(['a', 'dog', 'with', 'zyx']);
    const titles = await parts.evaluateAll((all) => all.map((each) => Number.parseFloat(each.title)));
    for (const [i, { contribution }] of expected.tokens.entries()) expect(titles[i]).toBeCloseTo(contribution, 2);
    expect(
      await parts.evaluateAll((all) => all.filter((each) => each.matches('.unknown')).map((each) => each.textContent)),
    ).toEqual(['zyx']);
    expect(await article.getByRole('rowheader').first().textContent()).toBe('animal');
    expect(await article.textContent()).toContain('3 of 4 tokens are known to the model.');
    // Another label is explained when it is chosen, and keeps the focus.
    await article.getByRole('button', { name: 'tool' }).press('Enter');
    await article.locator('.note b', { hasText: 'tool' }).waitFor();
    expect(await page.locator(':focus').textContent()).toBe('tool');
    expect(await page.locator('[aria-pressed="true"]').textContent()).toBe('tool');
    const other = await model.explain('a dog with zyx', { label: 'tool' });
    const title = await parts.nth(1).getAttribute('title');
    expect(Number.parseFloat(title!)).toBeCloseTo(other.tokens[1]!.contribution, 2);
    expect(complaints).toEqual([]);
  });

  it('shows the answer to what was asked last', async () => {
    await open();
    const late = await hold(page, 'predict');
    await text().fill('a dog');
    await late.asked();
    await page.unroute('**/predict');
    await text().fill('steel hammer');
    await status('tool, ');
    // The first question is answered last.
    late.release();
    await page.evaluate("fetch('health')");
    expect(await page.locator('.verdict').textContent()).toMatch(/^tool/);
    expect(complaints).toEqual([]);
  });

  it('works by the keyboard alone', async () => {
    await open();
    await page.keyboard.press('Tab');
    await page.keyboard.type('a dog with a tail');
    await page.keyboard.press('Control+Enter');
    await status('animal, ');
    expect(await walk(page, 8)).toEqual(['least', 'precision', 'top', 'lines', 'scope', 'send', 'live', 'animal']);
    await page.locator('#live').press('Space');
    await text().fill('steel hammer');
    await page.waitForTimeout(400);
    expect(await page.locator('.verdict').textContent()).toMatch(/^animal/);
    await page.getByRole('button', { name: 'Label' }).press('Space');
    await status('tool, ');
    // What was tried comes back.
    await text().press('Alt+ArrowUp');
    expect(await text().inputValue()).toBe('a dog with a tail');
    await status('animal, ');
    await text().press('Alt+ArrowDown');
    expect(await text().inputValue()).toBe('steel hammer');
    // So does what was being written.
    await text().fill('a loose draft');
    await text().press('Alt+ArrowUp');
    expect(await text().inputValue()).toBe('steel hammer');
    await text().press('Alt+ArrowDown');
    expect(await text().inputValue()).toBe('a loose draft');
    // The choice of a language of the code is one stop, moved within by arrows.
    await page.locator('#as-curl').focus();
    await page.keyboard.press('ArrowRight');
    expect(await page.locator('#code').textContent()).toMatch(/^const response = await fetch\("http/);
    expect(complaints).toEqual([]);
  });

  it('stays with the draft when an answer comes late', async () => {
    await open();
    for (const tried of ['a dog with a tail', 'steel hammer']) {
      await text().fill(tried);
      await text().press('Control+Enter');
      await status(tried === 'steel hammer' ? 'tool, ' : 'animal, ');
    }
    await page.locator('#live').uncheck();
    const late = await hold(page, 'predict');
    // The answer to what was brought back comes when something else has been written.
    await text().press('Alt+ArrowUp');
    expect(await text().inputValue()).toBe('a dog with a tail');
    await text().fill('a loose draft');
    await late.asked();
    late.release();
    await status('animal, ');
    expect(await page.locator('#tried .tried').allTextContents()).toEqual(['a dog with a tail', 'steel hammer']);
    await text().press('Alt+ArrowUp');
    expect(await text().inputValue()).toBe('a dog with a tail');
    await text().press('Alt+ArrowDown');
    expect(await text().inputValue()).toBe('a loose draft');
    expect(complaints).toEqual([]);
  });

  it('gives no label below the least probability', async () => {
    await open();
    await text().fill('a dog with a tail');
    await status('animal, ');
    await page.getByLabel('Unsure below').fill('100');
    await status('Unsure.');
    expect(await page.getByRole('article').textContent()).toMatch(
      /animal with \d+\.\d % is most probable, but below 100 %\./,
    );
    expect(await page.locator('#least').getAttribute('aria-valuetext')).toBe('100 percent');
    expect(await page.locator('#code').textContent()).toContain('"minProbability":1');
    expect(complaints).toEqual([]);
  });

  it('labels each line, and as many labels as asked for', async () => {
    await open();
    await page.getByLabel('Labels to show').fill('1');
    await text().fill('cat');
    await status('animal, ');
    await expect.poll(() => page.getByRole('rowheader').count()).toBe(1);
    await page.getByRole('checkbox', { name: 'Each line is a text' }).check();
    await text().fill('cat\n\nhammer\nzyx wvu');
    await status('3 texts labelled.');
    expect(await page.getByRole('rowheader').allTextContents()).toEqual(['cat', 'hammer', 'zyx wvu']);
    expect((await page.locator('.many td:nth-child(2)').allTextContents()).slice(0, 2)).toEqual(['animal', 'tool']);
    await text().fill('a\nb\nc\nd\ne\nf');
    await page.getByRole('alert').filter({ hasText: 'Expected at most 5 texts in body.texts (TOO_LARGE)' }).waitFor();
    expect(await page.getByRole('article').count()).toBe(0);
    await page.getByRole('checkbox', { name: 'Each line is a text' }).uncheck();
    await text().fill('zyx');
    await page.getByText('The labels say nothing about this text.').waitFor();
    expect(await page.getByRole('alert').textContent()).toBe('');
  });

  it('shows texts and labels as they are, never as HTML, and remembers them in this visit alone', async () => {
    await open();
    await text().fill(HOSTILE_TEXT);
    await page.locator('article blockquote span').first().waitFor();
    expect(await page.locator('blockquote').textContent()).toBe(HOSTILE_TEXT);
    expect(await page.getByRole('rowheader').allTextContents()).toContain(HOSTILE_LABEL);
    expect(await page.locator('#facts').textContent()).toContain(HOSTILE_LABEL);
    await page.locator('#tried li').waitFor();
    await page.reload();
    await page.locator('#tried button').click();
    expect(await text().inputValue()).toBe(HOSTILE_TEXT);
    await page.locator('article blockquote span').first().waitFor();
    expect(await page.locator('main img, main script, main b b, h1 b').count()).toBe(0);
    expect(await page.title()).toBe('<b>Topics</b> · Try the model');
    await page.getByRole('button', { name: 'Forget all' }).click();
    expect(await page.locator('#tried li').count()).toBe(0);
    expect(await page.evaluate('Object.values(sessionStorage).join()')).not.toContain('script');
    // What somebody else wrote there is no reason to fail.
    await page.evaluate(`sessionStorage.setItem('recurra.tried.classifier.<b>Topics</b>', '[{"text":5},null]')`);
    await page.reload();
    await page.locator('#history-empty').waitFor();
    expect(complaints).toEqual([]);
  });

  it('gives code that asks the same', async () => {
    await open();
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    const asked = `it's a "dog" $HOME \\ \``;
    await text().fill(asked);
    await page.getByRole('button', { name: 'Copy' }).click();
    await page.getByText('Copied.').waitFor();
    const copied = (await page.evaluate('navigator.clipboard.readText()')) as string;
    const { execFileSync } = await import('node:child_process');
    // What the shell makes of it, without curl.
    const words = execFileSync('sh', ['-c', copied.replace(/^curl/, `printf '%s\\n'`)], { encoding: 'utf8' }).split(
      '\n',
    );
    expect(words.slice(0, 3)).toEqual(['-H', 'content-type: application/json', '-d']);
    expect(JSON.parse(words[3]!)).toEqual({ text: asked, topK: 3 });
    expect(words[4]).toBe(`${server.url}/predict`);
    await page.getByText('JavaScript', { exact: true }).click();
    const code = (await page.locator('#code').textContent())!;
    const answered: unknown[] = [];
    const run = new Function('console', `return (async () => {${code}})()`);
    await run({ log: (answer: unknown) => answered.push(answer) });
    expect(answered).toEqual([expect.objectContaining({ label: 'animal' })]);
  });

  it('follows the choice of light and dark', async () => {
    await open();
    const background = () => page.evaluate('getComputedStyle(document.documentElement).backgroundColor');
    const light = await background();
    await page.getByLabel('Colours').selectOption('dark');
    const dark = await background();
    expect(dark).not.toBe(light);
    await page.reload();
    expect(await background()).toBe(dark);
  });

  it('says that the server is gone, and asks again when it may', async () => {
    await open();
    let asked = 0;
    await page.route('**/predict', (route) => {
      asked++;
      const error = { error: { code: 'RATE_LIMITED', message: 'too often' } };
      return asked === 1
        ? route.fulfill({ status: 429, headers: { 'retry-after': '1' }, json: error })
        : route.continue();
    });
    await text().fill('a dog');
    await page.getByRole('alert').filter({ hasText: 'too often (RATE_LIMITED)' }).waitFor();
    await status('animal, ');
    expect([asked, await page.getByRole('alert').textContent()]).toEqual([2, '']);
    await page.context().setOffline(true);
    await text().fill('a cat');
    await page.getByRole('alert').filter({ hasText: 'The server does not answer' }).waitFor();
  });

  it('runs no script but its own, makes no HTML of text, and is shown in no frame', async () => {
    await open();
    const policy = (await fetch(`${server.url}/`)).headers.get('content-security-policy');
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
    expect(policy).not.toContain('unsafe');
    const refused = await page.evaluate(`{
      const refused = [];
      const attempts = [
        () => { document.body.innerHTML = '<b>x</b>'; },
        () => { document.createElement('script').textContent = 'document.title = 3'; },
      ];
      for (const attempt of attempts) try { attempt(); } catch { refused.push(attempt); }
      document.body.append(Object.assign(document.createElement('style'), { textContent: 'body { color: red }' }));
      refused.length;
    }`);
    expect(refused).toBe(2);
    expect(complaints.some((each) => /style-src/.test(each))).toBe(true);
    await page.goto('about:blank');
    await page.setContent(`<iframe src="${server.url}/"></iframe>`);
    const framed = () => page.frames().find((frame) => frame !== page.mainFrame());
    // The browser shows an error in place of the page.
    await expect.poll(() => framed()?.url()).toMatch(/^chrome-error:/);
    expect(await framed()!.locator('textarea').count()).toBe(0);
  });
});
