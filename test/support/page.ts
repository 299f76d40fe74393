import { type Browser, chromium, type Page } from 'playwright-core';
import { expect } from 'vitest';
import { chromiumPath } from './chromium.js';
import { CONTRASTS } from './contrasts.js';

/** What can be reached or is a region, and has no name for a screen reader. Runs in the page. */
const UNNAMED = `[...document.querySelectorAll('button, input, select, textarea, a, section, [role="region"]')]
  .filter((each) => each.checkVisibility())
  .filter((each) => !each.ariaLabel && !each.hasAttribute('aria-labelledby') && !each.labels?.length)
  .filter((each) => each.matches('input, select, textarea') || !each.textContent.trim())
  .map((each) => each.outerHTML)`;

/** A page that was opened, and what the browser objected to: messages, faults, and requests to elsewhere. */
export interface OpenPage {
  page: Page;
  complaints: string[];
}

/** How a page is opened. */
export interface Looks {
  width?: number;
  scheme?: 'light' | 'dark';
}

/** Starts the browser of the tests of pages. */
export function startBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: chromiumPath()!, args: ['--no-sandbox'] });
}

/** Opens the page of a server in a visit of its own. */
export async function openPage(browser: Browser, url: string, { width = 1_200, scheme = 'light' }: Looks = {}) {
  const context = await browser.newContext({ viewport: { width, height: 800 }, colorScheme: scheme });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('request', (asked) => {
    if (!asked.url().startsWith(url) && !asked.url().startsWith('data:')) complaints.push(asked.url());
  });
  await page.goto(url);
  await page.locator('#answers .note').waitFor();
  return { page, complaints };
}

/** Answers that are kept back. */
export interface Held {
  /** Resolves when so many requests have come. */
  asked(requests?: number): Promise<void>;
  /** Lets all of them be answered, and those that come later. */
  release(): void;
}

/** Keeps the answers of a route of the server back until they are released, so that a test acts before them. */
export async function hold(page: Page, path: string): Promise<Held> {
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  let requests = 0;
  await page.route(`**/${path}`, async (route) => {
    requests++;
    await released;
    // The page may have given the question up.
    await route.continue().catch(() => {});
  });
  return { asked: (most = 1) => expect.poll(() => requests).toBeGreaterThanOrEqual(most), release };
}

/** Presses Tab, and tells where the focus is after each: the id of the control, or what it is called. */
export async function walk(page: Page, steps: number): Promise<string[]> {
  const visited: string[] = [];
  for (let i = 0; i < steps; i++) {
    await page.keyboard.press('Tab');
    visited.push(
      await page.evaluate(`(() => {
        const { id, ariaLabel, textContent } = document.activeElement;
        return id || ariaLabel || textContent;
      })()`),
    );
  }
  return visited;
}

/**
 * Expects that a page is no wider than the window, that all text can be read (WCAG's contrast of 4.5), and that everything a keyboard can reach
 * has a name.
 */
export async function expectReadable(page: Page): Promise<void> {
  const { width } = page.viewportSize()!;
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
  for (const { contrast, text, kind } of (await page.evaluate(CONTRASTS)) as {
    contrast: number;
    text: string;
    kind: string;
  }[])
    expect(contrast, `${kind}: ${text}`).toBeGreaterThanOrEqual(4.5);
  expect(await page.evaluate(UNNAMED)).toEqual([]);
}

/** The four looks in which each page is tested. */
export const LOOKS = [
  { width: 400, scheme: 'light' },
  { width: 400, scheme: 'dark' },
  { width: 1_200, scheme: 'light' },
  { width: 1_200, scheme: 'dark' },
] as const;
