// thaw sweep on drawn images and random weights: ranking, a trial that fails, Ctrl-C and --resume, and what is refused.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { EXIT } from './errors.ts';
import { parseAxes } from './sweep/axes.ts';
import { sweepPage } from './sweep/page.ts';
import { ranked, type SweepState, type Trial } from './sweep/state.ts';
import { tableRows } from './sweep/table.ts';
import { temporaryFolder, thaw } from './testing/stand-in.ts';

const LINE =
  'sweep --data generated --limit-train 24 --limit-test 20 --validation-split 0.25 --weights random --image-size 32 ' +
  '--batch-size 18 --head linear --backend wasm --json';
const state = async (folder: string): Promise<SweepState> =>
  JSON.parse(await readFile(join(folder, 'sweep.json'), 'utf8')) as SweepState;

test('a sweep goes on after a trial that diverges, stops at Ctrl-C with what is done, and resumes to the end', async () => {
  const folder = await temporaryFolder();
  let pressed = false;
  // 1e38: the first update overflows, and the run diverges.
  const cut = await thaw(`${LINE} --epochs 3 --optimizer sgd --grid learning-rate=1e38,1e-3,1e-4 --output s`, folder, (text) => {
    if (pressed || !text.includes('"event":"epoch","trial":"trial-3"')) return;
    pressed = true;
    process.emit('SIGINT');
  }); // prettier-ignore
  expect(cut.stderr).toContain('thaw sweep --resume');
  expect(cut.code).toBe(EXIT.interrupted);
  const before = await state(join(folder, 's'));
  expect(before.trials.map(({ status }) => status)).toEqual(['failed', 'done', 'cut']);
  expect(before.trials[0]?.reason).toBeTruthy();

  const resumed = await thaw('sweep --resume s --json', folder);
  expect(resumed.code).toBe(EXIT.done);
  const after = await state(join(folder, 's'));
  expect(after.trials.map(({ status }) => status)).toEqual(['failed', 'done', 'done']);
  expect(after.trials[1]).toEqual(before.trials[1]);
  const [best] = ranked(after.trials);
  expect(after.best).toBe(best?.folder);
  expect((await readdir(join(folder, 's'))).sort()).toEqual([
    'sweep.html',
    'sweep.json',
    'trial-1',
    'trial-2',
    'trial-3',
  ]);
  const summary = JSON.parse(await readFile(join(folder, 's', 'trial-2', 'config.json'), 'utf8')) as {
    settings: unknown;
  };
  expect(summary.settings).toMatchObject({ learningRate: 1e-3, epochs: 3 });
  expect((await thaw(`${LINE} --grid dropout=0 --output s`, folder)).stderr).toContain('holds a sweep already');
});

test.each([
  ['--grid learning-rte=1', 'learning-rte is no option of thaw train to search over; did you mean learning-rate?'],
  ['--grid learning-rate=1e-3,fast', '--learning-rate: "fast" is not a number above 0.'],
  ['--grid optimizer=adam,sdg', '--optimizer: "sdg" is not one of adam, sgd; did you mean sgd?'],
  ['--grid nesterov=yes', '--grid: nesterov is true or false, not "yes".'],
  ['--grid output=a,b', 'output is no option of thaw train to search over'],
  ['--grid dropout=0..0.5', 'is a range, which a grid cannot try'],
  ['--grid dropout=0.5..0 --random 2', 'its first number must be below its second'],
  ['--grid dropout=0 --grid dropout=0.1', 'dropout is there twice'],
  ['--epochs 1 --grid epochs=1,2', 'epochs is given as an option of its own too'],
  ['--grid dropout', '--grid: ["dropout"] is not an option and its values'],
  ['--random 3', '--grid is missing'],
])('%s is refused before the first trial', async (flags, message) => {
  const folder = await temporaryFolder();
  const ran = await thaw(`${LINE} ${flags}`, folder);
  expect(ran.stderr).toContain(message);
  expect(ran.code).toBe(EXIT.usage);
  expect(await readdir(folder)).toEqual([]);
});

test('values that hold commas are separated by a bar', () => {
  expect(parseAxes(['head=linear|64,32'], ['head'], false)).toEqual([{ name: 'head', values: ['linear', '64,32'] }]);
  expect(parseAxes(['dropout=1e-4..0.5'], ['dropout'], true)).toEqual([{ name: 'dropout', low: 1e-4, high: 0.5 }]);
});

describe('the ranking', () => {
  const trial = (folder: string, over: Partial<Trial>): Trial => ({
    folder,
    point: { dropout: folder },
    status: 'done',
    ...over,
  });
  const trials = [
    trial('a', { validationAccuracy: 0.8, validationLoss: 0.5 }),
    trial('b', { validationAccuracy: 0.9, validationLoss: 0.7 }),
    trial('c', { status: 'failed', reason: 'The loss is <NaN>.' }),
    trial('d', { validationAccuracy: 0.9, validationLoss: 0.6 }),
  ];

  test('is by validation accuracy, then by loss; what failed comes last', () => {
    expect(ranked(trials).map(({ folder }) => folder)).toEqual(['d', 'b', 'a']);
    expect(tableRows(trials).map(([rank, folder]) => [rank, folder])).toEqual([['1', 'd'], ['2', 'b'], ['3', 'a'], ['', 'c']]); // prettier-ignore
  });

  test('is on the page, the best linked, and what is text stays text', () => {
    const page = sweepPage({ thaw: '', created: '2026-11-26T03:00:00Z', command: 'thaw sweep', cwd: '/', grid: [], flags: {}, trials }, ''); // prettier-ignore
    expect(page).toContain('<a href="d/report.html">d</a>: dropout d, validation accuracy 90.00 %');
    expect(page).toContain('failed: The loss is &lt;NaN&gt;.');
    expect(page).toContain('"labels":["dropout d","dropout b","dropout a"]');
  });
});
