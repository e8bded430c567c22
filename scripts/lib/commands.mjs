// What each root script does, from the steps of the other modules. A command resolves to the exit code.
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { ensureBuilt } from './built.mjs';
import { binary } from './binary.mjs';
import { ensureChromium } from './chromium.mjs';
import { conformance } from './conformance.mjs';
import { inRoot, TOOLS } from './paths.mjs';
import { ensureInstalled, ensurePnpm, pnpmCommand } from './pnpm.mjs';
import { checkBundle } from './bare-root.mjs';
import { portable } from './portable.mjs';
import { run, say, StepError } from './process.mjs';
import { ensureRuntimeDir } from './system.mjs';
import { testBrowser } from './test-browser.mjs';
import { test } from './test-command.mjs';
import { ensureAdapter } from './vulkan.mjs';

const CLI = inRoot('packages', 'cli', 'dist', 'thaw.js');

/** With these, `thaw bench browser` starts none. */
const NO_BROWSER = ['--no-open', '--help', '-h'];

/** @typedef {(args: string[]) => Promise<number>} Command */

/** @type {Record<string, Command>} */
export const COMMANDS = {
  demo,
  thaw,
  test,
  'test:long': testLong,
  'test:browser': testBrowser,
  build,
  lint,
  format,
  typecheck,
  bench,
  conformance,
  bundle,
  docs,
  example,
  screenshots,
  pnpm,
};

/** `npm start`: everything, then `thaw demo`. @type {Command} */
async function demo(args) {
  await ensureInstalled();
  await ensureBuilt();
  requireCli();
  ensureRuntimeDir();
  await ensureAdapter();
  return run(process.execPath, [CLI, 'demo', ...args], { cwd: process.env.INIT_CWD ?? process.cwd() });
}

/** `npm run thaw -- <arguments>`: the command line, without looking for an adapter (`thaw doctor` does). @type {Command} */
async function thaw(args) {
  await ensureInstalled();
  await ensureBuilt();
  requireCli();
  ensureRuntimeDir();
  if (args[0] === 'bench' && args[1] === 'browser' && !args.some((word) => NO_BROWSER.includes(word)))
    await ensureChromium();
  return run(process.execPath, [CLI, ...args], { cwd: process.env.INIT_CWD ?? process.cwd() });
}

/** `npm run test:long`: hostile files, 10,000 of each kind. @type {Command} */
async function testLong(args) {
  process.env.THAW_FUZZ ??= '10000';
  return test(['packages/cli/src/fuzz', ...args]);
}

/** `npm run screenshots`: docs/images anew. @type {Command} */
async function screenshots() {
  await ensureInstalled();
  await ensureBuilt();
  requireCli();
  ensureRuntimeDir();
  await ensureChromium();
  const { screenshots: make } = await import('./screenshots.mjs');
  await make(CLI);
  return 0;
}

/** `npm run build`: every package with its declarations, through turbo's cache, and what they weigh. @type {Command} */
async function build(args) {
  await ensureInstalled();
  const code = await turbo(['run', 'build', '--output-logs=new-only', ...args]);
  if (code === 0) {
    // Only now: it needs esbuild, and before the installation there is none.
    const { sizesTable } = await import('./bundle-size.mjs');
    say(await sizesTable());
  }
  return code;
}

/**
 * `npm run bundle`: dist/thaw-linux-x64.tar.xz, for machines with a GPU and nothing else; with --tests the kernel tests are in it,
 * with --check it is tried in a bare root. @type {Command}
 */
async function bundle(args) {
  await ensureInstalled();
  await ensurePnpm();
  await ensureBuilt();
  const withTests = args.includes('--tests');
  const archive = await portable(withTests);
  if (!args.includes('--check')) return 0;
  await ensureAdapter();
  return checkBundle(archive, withTests);
}

/** `npm run typecheck`: each package, then the workspace's own files. @type {Command} */
async function typecheck(args) {
  await ensureInstalled();
  const packages = await turbo(['run', 'typecheck', '--continue', '--output-logs=errors-only', ...args]);
  const root = await run(process.execPath, [binary('typescript', 'bin/tsc'), '-p', inRoot('tsconfig.json')]);
  return packages || root;
}

/** `npm run lint`: eslint's rules, prettier's format, and whether every public symbol is documented. @type {Command} */
async function lint(args) {
  await ensureInstalled();
  const cache = ['--cache', '--cache-location', join(TOOLS, 'eslint'), '--cache-strategy', 'content'];
  const cwd = inRoot();
  const rules = await run(
    process.execPath,
    [binary('eslint', 'bin/eslint.js'), ...cache, '--max-warnings', '0', '.', ...args],
    { cwd },
  );
  const format = await run(
    process.execPath,
    [binary('prettier', 'bin/prettier.cjs'), '--check', '--log-level', 'warn', '.'],
    { cwd },
  );
  if (format !== 0) say('`npm run format` writes the files the way prettier wants them.');
  return rules || format || typedoc(['--emit', 'none']);
}

/** `npm run docs`: the API reference, into docs/api; a public symbol without a comment is an error. @type {Command} */
async function docs(args) {
  await ensureInstalled();
  return typedoc(args);
}

/** @type {Command} */
function typedoc(args) {
  return run(process.execPath, [binary('typedoc', 'bin/typedoc'), '--options', inRoot('typedoc.json'), ...args], {
    cwd: inRoot(),
  });
}

/** `npm run format [-- path ...]`: prettier over the given paths, else over everything. @type {Command} */
async function format(args) {
  await ensureInstalled();
  const paths = args.length > 0 ? args : ['.'];
  return run(process.execPath, [binary('prettier', 'bin/prettier.cjs'), '--write', ...paths], { cwd: inRoot() });
}

/** `npm run bench [-- arguments]`: `thaw bench`. @type {Command} */
async function bench(args) {
  return thaw(['bench', ...args]);
}

/** `npm run example [-- port]`: the page that fine-tunes in the browser, served on this machine. @type {Command} */
async function example(args) {
  await ensureInstalled();
  await ensureBuilt();
  const { serveExample } = await import('./example.mjs');
  return serveExample(args);
}

/** `npm run pnpm -- <arguments>`: the pinned pnpm, for adding a dependency or updating the lockfile. @type {Command} */
async function pnpm(args) {
  await ensurePnpm();
  return run(process.execPath, pnpmCommand(args), { cwd: inRoot() });
}

function requireCli() {
  if (existsSync(CLI)) return;
  throw new StepError(
    'packages/cli/dist/thaw.js is missing: packages/cli/src/thaw.ts is not written yet, so there is no command to run.',
  );
}

/** turbo calls `pnpm run` in each package, so the pinned pnpm must be on its PATH. @type {Command} */
async function turbo(args) {
  await ensurePnpm();
  const path = [join(TOOLS, 'node_modules', '.bin'), process.env.PATH].join(delimiter);
  const env = { ...process.env, PATH: path, TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1' };
  return run(process.execPath, [binary('turbo', 'bin/turbo'), ...args], { cwd: inRoot(), env });
}
