// examples/browser-train in headless Chromium: from images to a trained head to an answer, and what it says when something is
// wrong. Needs Chromium (CHROME_PATH, else where systems have it); WebGPU is Chromium's own software device, SwiftShader.
import { chromium, type Browser, type Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ensureBuilt } from '../scripts/lib/built.mjs';
import { findBrowser } from '../packages/bench/src/browser/find.ts';
import { buildExample, serve } from '../scripts/lib/example.mjs';

let program: string | undefined;
try {
  program = findBrowser();
} catch (error) {
  console.warn(`SKIPPED: the page that fine-tunes in the browser: ${String(error)}`);
}

let site: { url: string; stop: () => Promise<void> };
const browsers: Browser[] = [];
beforeAll(async () => {
  if (program === undefined) return;
  await ensureBuilt();
  site = await serve(await buildExample());
});
afterAll(async () => {
  await Promise.all(browsers.map((browser) => browser.close()));
  if (program !== undefined) await site.stop();
});
beforeEach(({ skip }) => skip(program === undefined, 'needs Chromium'));

/** The page as it is once it has looked for a GPU. */
async function open(...flags: string[]): Promise<Page> {
  const browser = await chromium.launch({ executablePath: program ?? '', args: flags, chromiumSandbox: false });
  browsers.push(browser);
  const page = await browser.newPage();
  await page.goto(site.url);
  await page.locator('#device').filter({ hasNotText: 'Looking' }).waitFor();
  return page;
}

/** Images of one colour each, nearly. */
const pictures = (name: string, count: number, rgb: readonly [number, number, number]) =>
  Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const [r, g, b] = rgb.map((value) => value + 4 * i);
      const create = { width: 48 + i, height: 40, channels: 3, background: { r, g, b } } as const;
      return { name: `${name}-${i}.png`, mimeType: 'image/png', buffer: await sharp({ create }).png().toBuffer() };
    }),
  );

const RED = [190, 40, 30] as const;
const BLUE = [20, 50, 180] as const;

describe('with WebGPU', () => {
  test('images become classes, a head learns them, and a new picture gets its class', async () => {
    const page = await open('--enable-unsafe-webgpu');
    const errors: string[] = [];
    page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
    page.on('pageerror', ({ message }) => errors.push(message));
    expect(await page.locator('#train-status').textContent()).toBe('Choose weights first.');

    await page.locator('#random-weights').click();
    await page.locator('#weights-status').filter({ hasText: 'ready' }).waitFor();
    expect(await page.locator('#random-warning').isVisible()).toBe(true);

    await page.locator('#image-size').selectOption('32');
    for (const [i, [name, colour]] of ([['red', RED], ['blue', BLUE]] as const).entries()) {
      await page.locator('.class-name').nth(i).fill(name);
      await page.locator('.class input[type=file]').nth(i).setInputFiles(await pictures(name, 6, colour));
    } // prettier-ignore
    await page.locator('.class-count').filter({ hasText: '6 images' }).nth(1).waitFor();
    await page.locator('#train').click();
    await page.locator('#train-status').filter({ hasText: 'Trained on 12 images' }).waitFor({ timeout: 90_000 });
    expect(await page.locator('#chart figcaption').textContent()).toContain('accuracy 100 %');
    expect(await page.locator('#chart polyline.loss').getAttribute('points')).toMatch(/^(\S+ ){39}\S+$/);

    const unseen = await pictures('unseen', 1, [215, 25, 45]);
    await page.locator('#try-files').setInputFiles(unseen);
    expect(await page.locator('#answers h3').textContent({ timeout: 30_000 })).toBe('red');
    const shares = await page.locator('#answers .bar span:last-child').allTextContents();
    const [first = 0, second = 0] = shares.map((text) => Number.parseFloat(text));
    expect(first).toBeGreaterThan(50);
    // Each is rounded to a tenth of a percent.
    expect(Math.abs(first + second - 100)).toBeLessThanOrEqual(0.1 + 1e-9);
    expect(errors).toEqual([]);
  });

  test('a file that is wrong is named, and what was there stays', async () => {
    const page = await open('--enable-unsafe-webgpu');
    const error = page.locator('#error');
    const junk = (name: string) => ({
      name,
      mimeType: 'application/octet-stream',
      buffer: Buffer.from('not what it says'),
    });
    await page.locator('#weights-file').setInputFiles(junk('model.safetensors'));
    await error.filter({ hasText: 'model.safetensors: its first 8 bytes announce a header' }).waitFor();
    await page.locator('#weights-file').setInputFiles(junk('resnet50.h5'));
    await error.filter({ hasText: 'resnet50.h5: this page reads safetensors' }).waitFor();

    const [good] = await pictures('good', 1, RED);
    await page
      .locator('.class input[type=file]')
      .first()
      .setInputFiles([junk('broken.jpg'), good!]);
    await error.filter({ hasText: 'broken.jpg: the browser cannot decode it as an image.' }).waitFor();
    expect(await page.locator('.class-count').first().textContent()).toBe('1 image');
  });
});

test('without WebGPU the page says so, and what to do', async () => {
  const page = await open('--disable-features=WebGPU', '--disable-gpu');
  expect(await page.locator('#device').textContent()).toBe('There is no GPU that this page can use.');
  expect(await page.locator('#error').textContent()).toMatch(/WebGPU.*(use Chrome|hardware acceleration)/);
  expect(await page.locator('#steps').getAttribute('inert')).toBe('');
});
