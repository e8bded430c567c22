// tinyRun in a process of its own:
//   node tiny-run.program.js <run folder> <image folder> <thaw | cpu>
// or under mpirun, where the ranks train together.
// THAW_TEST_KILL=<n>[after] kills it before (after) its n-th renaming of a file.
// THAW_TEST_SIGNAL=<rank>:<signal>:<n> sends a signal to a rank at the end of its n-th step.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { processIo } from '../io.ts';
import { Job } from '../ranks/job.ts';
import { ALONE, type Ranks } from '../ranks/ranks.ts';
import { listenForInterrupt } from '../session/interrupt.ts';
import { tinyRun } from './tiny-run.ts';

const [folder = '', data = '', device = 'cpu'] = process.argv.slice(2);
killAtRename(process.env['THAW_TEST_KILL'] ?? '');
const interrupt = listenForInterrupt(() => undefined);
const { signal } = interrupt;
const io = processIo();
const job = Job.of(io);
const run = async (ranks: Ranks): Promise<void> => {
  const onBeat = signalAtStep(process.env['THAW_TEST_SIGNAL'] ?? '', ranks.rank);
  const result = await tinyRun({ io, folder, data, device: device === 'thaw' ? 'thaw' : 'cpu', signal, ranks, onBeat });
  process.exitCode = result.interrupted ? await ranks.exitCode(interrupt.exitCode) : 0;
};
try {
  await (job ? job.run('tiny', 'share', run) : run(ALONE));
} catch (error) {
  if (!job) throw error;
  process.exitCode = await job.end(error, 1, () => job.voice.write(`${job.name}: ${String(error)}\n`));
}
interrupt.stop();

/** Sends a signal to this rank at the end of a step: "1:SIGTERM:3". */
function signalAtStep(when: string, rank: number): () => void {
  const [who = '', name = '', step = ''] = when.split(':');
  let steps = 0;
  return () => {
    if (who === String(rank) && ++steps === Number(step)) process.kill(process.pid, name);
  };
}

function killAtRename(when: string): void {
  const number = Number.parseInt(when, 10);
  if (Number.isNaN(number)) return;
  let renames = 0;
  const { rename } = fs.promises;
  fs.promises.rename = async (from, to) => {
    const isTheOne = ++renames === number;
    if (isTheOne && !when.endsWith('after')) process.kill(process.pid, 'SIGKILL');
    await rename(from, to);
    if (isTheOne) process.kill(process.pid, 'SIGKILL');
  };
  syncBuiltinESMExports();
}
