// `npm run screenshots`: docs/images anew, from a run on drawn images (nobody's photographs), its report and its server.
// Needs Chromium and ImageNet's weights in THAW_HOME; takes some minutes.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';
import sharp from 'sharp';
import { loadDriver } from './chromium.mjs';
import { inRoot } from './paths.mjs';
import { run, say, StepError } from './process.mjs';

const IMAGES = inRoot('docs', 'images');
/** Few enough to leave mistakes to look at. */
const TRAIN =
  '--data generated --limit-train 100 --limit-test 200 --image-size 96 --epochs 12 --batch-size 16 --seed 3';
/** The drawn image that is dropped on the server's page; and how large people would drop it. */
const DROPPED = { index: 3, side: 480 };

/** @param {string} cli the built command */
export async function screenshots(cli) {
  const folder = mkdtempSync(join(tmpdir(), 'thaw-screenshots-'));
  mkdirSync(IMAGES, { recursive: true });
  const { findBrowser } = await loadDriver();
  const browser = await chromium.launch({ executablePath: findBrowser(), chromiumSandbox: false });
  try {
    const trained = join(folder, 'shapes');
    const args = ['train', ...TRAIN.split(' '), '--output', trained];
    if ((await run(process.execPath, [cli, ...args])) !== 0) throw new StepError('the run failed.');
    await report(browser, join(trained, 'report.html'));
    await served(browser, cli, trained);
  } finally {
    await browser.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @param {import('playwright-core').Browser} browser @param {string} path */
async function report(browser, path) {
  const page = await browser.newPage({ viewport: { width: 1180, height: 900 }, deviceScaleFactor: 1.5 });
  await page.goto(pathToFileURL(path).href);
  await save('report', await page.screenshot());
  await save('report-mistakes', await page.locator('.looks').screenshot({ scale: 'css' }));
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.locator('[data-sort]').selectOption('errors');
  // Scrolled to before anything is pointed at: another cell would come to lie under the pointer.
  await page.setViewportSize({ width: 1180, height: 1200 });
  await page.locator('#confusion').scrollIntoViewIfNeeded();
  // Of the class with most errors, the second of what it was called.
  await page.locator('.matrix .cell:not(:empty)').nth(1).hover();
  await save('report-confusion-dark', await page.locator('#confusion').screenshot());
}

/** @param {import('playwright-core').Browser} browser @param {string} cli @param {string} trained */
async function served(browser, cli, trained) {
  const server = spawn(process.execPath, [cli, 'serve', '--run', trained, '--port', '0', '--json', '--quiet']);
  try {
    const address = await listening(server);
    const page = await browser.newPage({ viewport: { width: 760, height: 620 }, deviceScaleFactor: 1.5 });
    await page.goto(address);
    await page.locator('#files').setInputFiles({ name: 'shape.png', mimeType: 'image/png', buffer: await drawn() });
    await page.locator('.answer meter').first().waitFor();
    await save('serve', await page.screenshot());
  } finally {
    server.kill('SIGTERM');
  }
}

/** @param {import('node:child_process').ChildProcessWithoutNullStreams} server @returns {Promise<string>} its address */
async function listening(server) {
  let text = '';
  for await (const part of server.stdout) {
    text += String(part);
    for (const line of text.split('\n').slice(0, -1)) {
      const { event, address } = JSON.parse(line);
      if (event === 'listening') return address;
    }
  }
  throw new StepError('thaw serve ended before it listened.');
}

/** A drawn image as a PNG that a browser shows. */
async function drawn() {
  const { generatedDataset } = await import(pathToFileURL(inRoot('packages', 'data', 'dist', 'index.js')).href);
  const dataset = generatedDataset({ count: DROPPED.index + 1, split: 'test', seed: 7 });
  const side = dataset.imageSize?.width ?? 32;
  const rgb = await dataset.readImage(DROPPED.index, side);
  return sharp(rgb, { raw: { width: side, height: side, channels: 3 } }).resize(DROPPED.side, DROPPED.side, { kernel: 'cubic' }).png().toBuffer(); // prettier-ignore
}

/** @param {string} name @param {Buffer} png */
async function save(name, png) {
  const small = await sharp(png).png({ palette: true, quality: 90, compressionLevel: 9 }).toBuffer();
  writeFileSync(join(IMAGES, `${name}.png`), small);
  say(`docs/images/${name}.png  ${Math.round(small.length / 1024)} KiB`);
}
