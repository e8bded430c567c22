// `npm test`: every package's tests and the workspace's own in one vitest, with a last line "N passed, N failed".
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { binary } from './binary.mjs';
import { ensureBuilt } from './built.mjs';
import { ensureMpi } from './mpi.mjs';
import { inRoot, TOOLS } from './paths.mjs';
import { ensureInstalled } from './pnpm.mjs';
import { run, say, StepError } from './process.mjs';
import { countsLine, readCounts } from './test-counts.mjs';
import { ensureRuntimeDir } from './system.mjs';
import { ensureAdapter } from './vulkan.mjs';

/** Where the last line is kept, for .ci/run to repeat after lint and typecheck. */
const LAST_LINE = join(TOOLS, 'test-line.txt');

/** @param {string[]} args vitest's own arguments: file name filters, `--project model`, `-t name` … */
export async function test(args) {
  rmSync(LAST_LINE, { force: true });
  const folder = mkdtempSync(join(tmpdir(), 'thaw-test-'));
  const countsFile = join(folder, 'counts.json');
  let code = 1;
  try {
    code = await prepareAndRun(args, countsFile);
  } catch (error) {
    if (!(error instanceof StepError)) throw error;
    say(error.message);
  }
  const counts = readCounts(countsFile);
  rmSync(folder, { recursive: true, force: true });
  if (counts === null) say('the test run did not finish, which the line below counts as one failure.');
  const line = countsLine(counts ?? { passed: 0, failed: 1, skipped: 0 });
  mkdirSync(TOOLS, { recursive: true });
  writeFileSync(LAST_LINE, `${line}\n`);
  process.stdout.write(`${line}\n`);
  return code;
}

/** @param {string[]} args @param {string} countsFile */
async function prepareAndRun(args, countsFile) {
  await ensureInstalled();
  ensureRuntimeDir();
  const hasAdapter = await ensureAdapter();
  // Tests of kernels cannot run there; they read this to skip themselves and say so.
  const adapter = hasAdapter ? {} : { THAW_NO_ADAPTER: '1' };
  // Likewise of MPI, by launcher.
  const noMpi = (await ensureMpi()).join(' ');
  const built = await builtOrSay();
  const code = await run(process.execPath, [binary('vitest', 'vitest.mjs'), 'run', ...args], {
    cwd: inRoot(),
    env: { ...process.env, ...plainUnlessTerminal(), ...adapter, THAW_NO_MPI: noMpi, THAW_TEST_COUNTS: countsFile },
  });
  return built ? code : code || 1;
}

/** Colour codes only where a terminal shows them, or where they are asked for. @returns {NodeJS.ProcessEnv} */
function plainUnlessTerminal() {
  return process.stdout.isTTY || process.env.FORCE_COLOR ? {} : { NO_COLOR: '1' };
}

/** Tests read the sources, so they run even where the build fails; the run then fails whatever they say. */
async function builtOrSay() {
  try {
    await ensureBuilt();
    return true;
  } catch (error) {
    if (!(error instanceof StepError)) throw error;
    say(error.message);
    return false;
  }
}
