// This machine's own tables: kept, found, and left aside with a note where they do not fit.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { currentFingerprints, shippedTables, type Choices, type TuningTable } from '@thaw/kernels/tuning';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../testing/stand-in.ts';
import { applyTuning, saveTuning, tableShape } from './tuning.ts';

const device = { adapter: 'Some GPU (tm) 3000', driver: 'driver 1.2' };
const choices: Choices = { conv2d: { '1x1/1, 32 pixels, 64 to 64': { variant: 'direct', tuning: { TM: 4 } } } };
const table: TuningTable = { ...device, date: '2026-11-25', shaders: currentFingerprints(choices), choices };

/** What a device with that driver is given, and the note that the user sees. */
async function applied(home: string, driver: string): Promise<{ taken: Choices[]; notes: string[] }> {
  const [taken, notes]: [Choices[], string[]] = [[], []];
  const gpu = {
    kind: { isSoftware: false, subgroupSize: 32, matrixUnit: undefined },
    tune: (choices: Choices) => void taken.push(choices),
  };
  await applyTuning(gpu, { ...device, driver }, [home], (note) => notes.push(note));
  return { taken, notes };
}

test('a table is found again, one file an adapter', async () => {
  const home = await temporaryFolder();
  expect(await applied(home, device.driver)).toEqual({ taken: [], notes: [] });
  const path = await saveTuning(home, table);
  expect(path).toBe(join(home, 'tuning', 'some-gpu-tm-3000.json'));
  expect(JSON.parse(await readFile(path, 'utf8'))).toEqual(table);
  const { taken, notes } = await applied(home, device.driver);
  expect(taken.map(({ conv2d }) => conv2d)).toEqual([table.choices.conv2d]);
  expect(notes).toEqual([]);
});

test('of another driver it is ignored with a note', async () => {
  const home = await temporaryFolder();
  await saveTuning(home, table);
  expect(await applied(home, 'driver 1.3')).toEqual({
    taken: [{}],
    notes: [
      'The tuning of Some GPU (tm) 3000 is ignored: it was made with driver driver 1.2, and this is driver 1.3. thaw bench --tune renews it.',
    ],
  });
});

test('a damaged one is ignored with a note that names the file', async () => {
  const home = await temporaryFolder();
  const path = await saveTuning(home, table);
  await writeFile(path, '{"adapter": "Some GPU (tm) 3000"');
  const { taken, notes } = await applied(home, device.driver);
  expect(taken).toEqual([]);
  expect(notes).toEqual([expect.stringContaining(`${path} is not a table of tilings`)]);
});

test('tables that come with Thaw have the form of those that it writes', () => {
  for (const shipped of shippedTables) expect(tableShape.parse(shipped)).toEqual(shipped);
});
