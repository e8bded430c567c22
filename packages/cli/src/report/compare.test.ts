// What is compared: only settings that differ, and a note where scores are of different images.
import { expect, test } from 'vitest';
import { methodFixture } from '../testing/report.ts';
import { compareHtml, comparisonNote, differences, type ComparedRun } from './compare.ts';

const HASHES = { train: 'aa', test: 'bb' };

function run(name: string, learningRate: number, hashes = HASHES, macroF1 = 0.5): ComparedRun {
  const { classes, groups, confusion, perClass, calibration, history } = methodFixture(name);
  const device = { backend: 'thaw', name: 'GPU <3>', driver: '', isSoftware: false };
  return {
    name,
    history,
    config: {
      thaw: '0.1.0',
      created: '2026-11-25T20:00:00.000Z',
      command: 'thaw train',
      preset: 'custom',
      settings: { learningRate, batchSize: 32, data: 'pets' },
      data: { name: 'pets', classes: [...classes], train: 100, validation: 0, test: 35, hashes },
      weights: { source: 'keras', hash: 'cc' },
      network: { thaw: 'none', batchNorm: 'keras', imageSize: 32, head: 'linear', seed: 1, precision: 'float32' },
      device,
      versions: {},
    },
    summary: {
      preset: 'custom',
      evaluatedOn: 'test',
      images: 35,
      accuracy: 0.8,
      macroF1,
      loss: 0.5,
      bestEpoch: 3,
      epochs: 3,
      seconds: 3,
      classes: perClass.map((scores, i) => ({ name: classes[i]!, ...scores })),
      confusion: confusion.map((row) => [...row]),
      layers: [...groups],
      measured: { steps: 9, secondsPerStep: 0.1, tensorsAfterStep2: 1, tensorsAtEnd: 1 },
      device,
      skipped: [],
      calibration: { expectedError: calibration!.expectedError, bins: [...calibration!.bins] },
    },
  };
}

test('settings that differ, under the names of their flags', () => {
  expect(differences([run('a', 0.1), run('b', 0.01)])).toEqual([{ name: '--learning-rate', values: ['0.1', '0.01'] }]);
  expect(differences([run('a', 0.1), run('b', 0.1)])).toEqual([]);
});

test('scores of other images are not compared without a word', () => {
  expect(comparisonNote([run('a', 0.1), run('b', 0.1)])).toBeUndefined();
  expect(comparisonNote([run('a', 0.1), run('b', 0.1, { train: 'aa', test: 'dd' })])).toMatch(/not measured on the same images/); // prettier-ignore
  const cut = { ...run('b', 0.1, { train: 'aa', test: 'dd' }), summary: undefined };
  expect(comparisonNote([run('a', 0.1), cut])).toBeUndefined();
});

test('the page: the best is marked, one that did not end has its curves, text is text', () => {
  const html = compareHtml(
    [run('first <u>', 0.1), run('best', 0.01, HASHES, 0.75), { ...run('cut', 1), summary: undefined }],
    '',
  );
  expect(html).toMatch(
    /<tr class="better"><th scope="row"><span class="key k1"><\/span> best<\/th><td data-value="0.75">/,
  );
  expect(html).toContain('<td data-value="-1">did not end</td>');
  expect(html).not.toMatch(/<u>|<3>|https?:/);
  const [, json = ''] = /<script type="application\/json" id="data">(.*?)<\/script>/s.exec(html) ?? [];
  const { curves } = JSON.parse(json) as { curves: { name: string; history: unknown[] }[] };
  expect(curves.map(({ name, history }) => [name, history.length])).toEqual([['first <u>', 3], ['best', 3], ['cut', 3]]); // prettier-ignore
});
