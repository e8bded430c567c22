// `npm run test:browser`: the kernel tests and TensorFlow.js's own specs in headless Chromium, on the page's WebGPU device, and
// one case of `thaw bench browser`. The last line counts all of them.
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { binary } from './binary.mjs';
import { ensureBuilt } from './built.mjs';
import { ensureChromium, loadDriver } from './chromium.mjs';
import { readExpected } from './conformance.mjs';
import { compareWithExpected, reportLines } from './conformance-report.mjs';
import { inRoot, TOOLS } from './paths.mjs';
import { ensureInstalled } from './pnpm.mjs';
import { run, say, StepError } from './process.mjs';
import { bundleSpecs } from './spec-bundle.mjs';
import { addCounts, countsLine, readCounts } from './test-counts.mjs';

/** Suites that Node's run leaves to browsers, and that Thaw does not support: drawing on a canvas. */
const BROWSER_ONLY = ['draw'];

const LAST_LINE = join(TOOLS, 'browser-test-line.txt');

/** @param {string[]} args of vitest, such as names of files; with any, the specs are left out @returns {Promise<number>} exit code */
export async function testBrowser(args) {
  rmSync(LAST_LINE, { force: true });
  let counts = { passed: 0, failed: 0, skipped: 0 };
  try {
    await ensureInstalled();
    await ensureBuilt();
    const program = await ensureChromium();
    say(
      `in ${program}: the kernel tests, but those that need Node and the largest convolutions (vitest.browser.config.ts)`,
    );
    counts = addCounts(counts, await kernelTests(args));
    if (args.length === 0) {
      say("in the same browser: TensorFlow.js's own specs");
      counts = addCounts(counts, await specs());
      say('in the same browser: one case of thaw bench browser');
      counts = addCounts(counts, await benchmark());
    }
  } catch (error) {
    if (!(error instanceof StepError)) throw error;
    say(error.message);
    counts = addCounts(counts, { passed: 0, failed: 1, skipped: 0 });
  }
  const line = countsLine(counts);
  mkdirSync(TOOLS, { recursive: true });
  writeFileSync(LAST_LINE, `${line}\n`);
  process.stdout.write(`${line}\n`);
  return counts.failed > 0 || counts.passed === 0 ? 1 : 0;
}

/** vitest in its browser mode; vitest.browser.config.ts says what is left out. @param {string[]} args */
async function kernelTests(args) {
  const folder = mkdtempSync(join(tmpdir(), 'thaw-test-browser-'));
  const countsFile = join(folder, 'counts.json');
  try {
    const plain = process.stdout.isTTY || process.env.FORCE_COLOR ? {} : { NO_COLOR: '1' };
    const code = await run(
      process.execPath,
      [binary('vitest', 'vitest.mjs'), 'run', '--config', inRoot('vitest.browser.config.ts'), ...args],
      { cwd: inRoot(), env: { ...process.env, ...plain, THAW_TEST_COUNTS: countsFile } },
    );
    const counts = readCounts(countsFile);
    if (counts === null) throw new StepError(`vitest did not finish in the browser (exit code ${code}).`);
    return counts;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Every suite of `npm run conformance`, against the same list of known failures. */
async function specs() {
  const { serve, withPage } = await loadDriver();
  const folder = mkdtempSync(join(tmpdir(), 'thaw-specs-'));
  try {
    await bundleSpecs('page', folder, (suite) => !BROWSER_ONLY.includes(suite));
    const site = await serve({ html: '<!doctype html><script type="module" src="page.mjs"></script>', folder });
    try {
      /** @type {import('./conformance-report.mjs').Result} */
      const result = await withPage(site.address, { graphics: 'auto' }, async (page) => {
        await page.waitForFunction('globalThis.specsResult !== undefined');
        return page.evaluate('globalThis.specsResult');
      });
      const known = readExpected();
      // A few specs run in browsers only.
      const comparison = compareWithExpected(result, { ...known, specs: Math.max(known.specs, result.specs.length) });
      const lines = reportLines(result, comparison);
      // A line for each suite is for `npm run conformance`; here those that fail and the summary.
      console.log(lines.filter((text) => !text.startsWith(' ok ')).join('\n'));
      const failed =
        comparison.regressions.length + (comparison.isWorse && comparison.regressions.length === 0 ? 1 : 0);
      const passed = result.specs.filter((spec) => spec.passed).length;
      return { passed, failed, skipped: result.specs.length - passed - comparison.regressions.length };
    } finally {
      await site.close();
    }
  } catch (error) {
    throw new StepError(
      `the specs did not run to their end: ${error instanceof Error ? error.message : String(error)}`,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The command itself: page, engines, comparison and table. */
async function benchmark() {
  const cli = inRoot('packages', 'cli', 'dist', 'thaw.js');
  const args = ['bench', 'browser', '--filter', 'dense', '--rounds', '1', '--seconds', '1'];
  const code = await run(process.execPath, [cli, ...args]);
  return code === 0 ? { passed: 1, failed: 0, skipped: 0 } : { passed: 0, failed: 1, skipped: 0 };
}
