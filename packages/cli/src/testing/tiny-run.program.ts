// tinyRun in a process of its own:
//   node tiny-run.program.js <run folder> <image folder> <thaw | cpu>
// THAW_TEST_KILL=<n>[after] kills it before (after) its n-th renaming of a file.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { processIo } from '../io.ts';
import { listenForInterrupt } from '../session/interrupt.ts';
import { tinyRun } from './tiny-run.ts';

const [folder = '', data = '', device = 'cpu'] = process.argv.slice(2);
killAtRename(process.env['THAW_TEST_KILL'] ?? '');
const interrupt = listenForInterrupt(() => undefined);
const { signal } = interrupt;
const result = await tinyRun({ io: processIo(), folder, data, device: device === 'thaw' ? 'thaw' : 'cpu', signal });
interrupt.stop();
process.exitCode = result.interrupted ? interrupt.exitCode : 0;

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
