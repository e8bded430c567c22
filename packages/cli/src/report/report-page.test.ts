// The report in headless Chromium, from a file as people open it: no console error, no request, and what can be clicked does
// what it says. Needs Chromium (CHROME_PATH, else where systems have it).
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { findBrowser } from '@thaw/bench/browser';
import { writeReport } from './write.ts';
import { reportFixture } from '../testing/report.ts';

let program: string | undefined;
try {
  program = findBrowser();
} catch (error) {
  console.warn(`SKIPPED: the report in a browser: ${String(error)}`);
}

let browser: Browser;
let folder: string;
beforeAll(async () => {
  if (program === undefined) return;
  browser = await chromium.launch({ executablePath: program, chromiumSandbox: false });
  folder = await mkdtemp(join(tmpdir(), 'thaw-report-'));
  await writeReport(join(folder, 'report.html'), reportFixture('only'));
  await writeReport(join(folder, 'two.html'), reportFixture('frozen', 'thawed'));
});
afterAll(async () => {
  if (program === undefined) return;
  await browser.close();
  await rm(folder, { recursive: true, force: true });
});

const wrong: string[] = [];
beforeEach(({ skip }) => {
  skip(program === undefined, 'needs Chromium');
  wrong.length = 0;
});
afterEach(() => expect(wrong).toEqual([]));

async function open(name: string, width = 1200, colorScheme: 'light' | 'dark' = 'light'): Promise<Page> {
  const page = await browser.newPage({ viewport: { width, height: 800 }, colorScheme });
  page.on('console', (message) => ['error', 'warning'].includes(message.type()) && wrong.push(message.text()));
  page.on('pageerror', ({ message }) => wrong.push(message));
  page.on('request', (request) => /^(file|data):/.test(request.url()) || wrong.push(request.url()));
  await page.goto(pathToFileURL(join(folder, name)).href);
  return page;
}

const texts = (page: Page, selector: string) => page.locator(selector).allTextContents();

describe('the confusion matrix', () => {
  test('rows are as given, then by images, by errors, by name', async () => {
    const page = await open('report.html');
    const order = () => texts(page, '.matrix .row');
    expect(await order()).toEqual(['cat', '<dog>', 'owl']);
    const sort = page.locator('[data-sort]');
    await sort.selectOption('support');
    expect(await order()).toEqual(['owl', 'cat', '<dog>']);
    await sort.selectOption('errors');
    expect(await order()).toEqual(['cat', 'owl', '<dog>']);
    await sort.selectOption('name');
    expect(await order()).toEqual(['<dog>', 'cat', 'owl']);
    expect(await texts(page, '.matrix .column')).toEqual(['<dog>', 'cat', 'owl']);
    expect(await texts(page, '.matrix .cell')).toEqual(['4', '1', '', '4', '6', '', '2', '', '18']);
  });

  test('counts, shares of the true class, shares of the predicted one', async () => {
    const page = await open('report.html');
    const cells = () => texts(page, '.matrix .cell');
    expect(await cells()).toEqual(['6', '4', '', '1', '4', '', '', '2', '18']);
    await page.locator('[data-normalise]').selectOption('row');
    expect(await cells()).toEqual(['60', '40', '', '20', '80', '', '', '10', '90']);
    await page.locator('[data-normalise]').selectOption('column');
    expect(await cells()).toEqual(['86', '40', '', '14', '40', '', '', '20', '100']);
  });

  test('a cell that is pointed at is read out', async () => {
    const page = await open('report.html');
    await page.locator('.matrix .cell').nth(1).hover();
    expect(await page.locator('.confusion output').textContent()).toBe(
      'cat taken for <dog>: 4, 40.0 % of what is cat, 40.0 % of what was called <dog>',
    );
    expect(
      await page.locator('.matrix .read').evaluateAll((cells) => cells.map((cell) => cell.getAttribute('title'))),
    ).toEqual([await page.locator('.confusion output').textContent()]);
    await page.locator('h1').hover();
    expect(await page.locator('.matrix .read').count()).toBe(0);
    expect(await page.locator('.confusion output').textContent()).toBe('Point at a cell to read it.');
  });
});

test('the table of classes is sorted by its headings, and the mean stays below', async () => {
  const page = await open('report.html');
  const order = () => texts(page, '#classes tbody th');
  const click = (name: string) => page.locator('#classes button', { hasText: name }).click();
  await click('recall');
  expect(await order()).toEqual(['owl', '<dog>', 'cat']);
  await click('recall');
  expect(await order()).toEqual(['cat', '<dog>', 'owl']);
  await click('images');
  expect(await order()).toEqual(['owl', 'cat', '<dog>']);
  await click('class');
  expect(await order()).toEqual(['<dog>', 'cat', 'owl']);
  expect(await page.locator('#classes tfoot th').textContent()).toBe('mean');
});

test('heat maps lie over the images until they are switched off, or pointed at', async () => {
  const page = await open('report.html');
  const opacity = () => page.locator('.heat').first().evaluate((image) => getComputedStyle(image).opacity); // prettier-ignore
  expect(await opacity()).toBe('1');
  await page.locator('.picture').first().hover();
  expect(await opacity()).toBe('0');
  await page.locator('#heat').uncheck();
  await page.locator('h1').hover();
  expect(await opacity()).toBe('0');
});

test.each([
  ['report.html', 360, 'light'],
  ['report.html', 360, 'dark'],
  ['two.html', 360, 'dark'],
  ['two.html', 1200, 'light'],
] as const)('%s at %i pixels, %s: charts are drawn, nothing is wider than the window', async (name, width, scheme) => {
  const page = await open(name, width, scheme);
  const [ink, overflow] = await page.evaluate(() => [
    [...document.querySelectorAll('canvas')].map((canvas) => {
      const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
      return data.some((value) => value !== 0);
    }),
    document.documentElement.scrollWidth - window.innerWidth,
  ]);
  expect(ink).toEqual([true, true, true, true, true]);
  expect(overflow).toBe(0);
});

test('charts follow when the system turns dark', async () => {
  const page = await open('report.html');
  const picture = () => page.locator('#loss').evaluate((canvas) => (canvas as HTMLCanvasElement).toDataURL());
  const light = await picture();
  await page.emulateMedia({ colorScheme: 'dark' });
  await expect.poll(picture).not.toBe(light);
});
