// What a terminal shows: lines that fit, and how the surroundings are told.
import { expect, test } from 'vitest';
import type { EpochRecord } from '@thaw/model';
import { Output } from '../output.ts';
import { standIn } from '../testing/stand-in.ts';
import { sparkline } from '../text/sparkline.ts';
import { barLine, progressLine, type Progress } from './line.ts';
import { createReporter } from './reporter.ts';
import { epochLine } from './training.ts';

test('a sparkline: lowest to highest, and means where there are more values than columns', () => {
  expect(sparkline([0, 1, 2, 3, 4, 5, 6, 7], 10)).toBe('▁▂▃▄▅▆▇█');
  // Means of pairs: 0.5, 2.5, 4.5, 6.5.
  expect(sparkline([0, 1, 2, 3, 4, 5, 6, 7], 4)).toBe('▁▃▆█');
  expect(sparkline([2, 2, NaN], 10)).toBe('▁▁');
  expect(sparkline([], 10)).toBe('');
});

const progress: Progress = {
  label: 'epoch 3/20',
  done: 12,
  total: 30,
  loss: 0.5234,
  trend: '█▅▃▁',
  accuracy: 0.91,
  imagesPerSecond: 1234,
  dataShare: 0.1,
  secondsLeft: 65,
};

test.each([
  [120, 'epoch 3/20  ━━━━━━━━━━╌╌╌╌╌╌╌╌╌╌╌╌╌╌  12/30  loss 0.5234  █▅▃▁  accuracy 91.0 %  1,234 images/s  data 10 %  1:05 left'],
  [60, 'epoch 3/20  12/30  loss 0.5234  accuracy 91.0 %  1:05 left'],
  [40, 'epoch 3/20  ━━━╌╌╌╌╌  12/30  loss 0.5234'],
  [20, 'epoch 3/20  ━━━╌╌╌╌╌'],
])('a line of %i columns leaves out what matters least', (width, line) => {
  expect(barLine(progress, width)).toBe(line);
  expect(line.length).toBeLessThanOrEqual(width);
}); // prettier-ignore

const record: EpochRecord = {
  epoch: 3,
  loss: 0.25,
  accuracy: 0.9,
  validationLoss: 0.5,
  validationAccuracy: 0.875,
  validationMacroF1: 0.87,
  learningRate: 0.001,
  seconds: 2,
  imagesPerSecond: 1000,
  dataSeconds: 0.1,
};

test('an epoch is one line in a narrow terminal, too', () => {
  const whole = 'epoch  3/20  loss 0.2500  accuracy 90.0 %  validation 0.5000 87.5 % F1 0.870  1,000 images/s  data 5 %  2.0 s';
  expect(epochLine(record, 20, 120)).toBe(whole);
  for (const width of [100, 80, 60, 40, 20]) expect(epochLine(record, 20, width).length).toBeLessThanOrEqual(width);
  expect(epochLine(record, 20, 40)).toBe('epoch  3/20  loss 0.2500');
  expect(epochLine(record, 20, 60)).toContain('validation 0.5000 87.5 % F1 0.870');
}); // prettier-ignore

function spoken(env: Record<string, string>, sink: { isTTY?: boolean; columns?: number }) {
  let text = '';
  const stdout = { ...sink, write: (more: string) => (text += more) };
  const output = new Output(standIn({ env, stdout }));
  const reporter = createReporter(output);
  reporter.show(progress);
  output.say(output.colors.bold('bold'));
  reporter.clear();
  return { output, text: () => text };
}

test('a terminal has colours and a bar; NO_COLOR takes the colours, and only them', () => {
  const plain = spoken({}, { isTTY: true, columns: 80 });
  expect(plain.output).toMatchObject({ isTerminal: true, width: 80 });
  expect(plain.text()).toContain('\u001b[1mbold');
  const colourless = spoken({ NO_COLOR: '1' }, { isTTY: true, columns: 80 });
  expect(colourless.output.isTerminal).toBe(true);
  expect(colourless.text()).not.toContain('\u001b[1m');
});

test.each<[string, Record<string, string>, boolean]>([
  ['a pipe', {}, false],
  ['TERM=dumb', { TERM: 'dumb' }, true],
  ['CI=1', { CI: '1' }, true],
  ['CI=true', { CI: 'true' }, true],
])('%s: no escape sequence, no carriage return', (_, env, isTTY) => {
  const { output, text } = spoken(env, { isTTY, columns: 60 });
  expect(output.isTerminal).toBe(false);
  expect(text()).not.toMatch(/[\u001b\r]/);
});

test('CI=false is no CI; COLUMNS is the width where no terminal says it', () => {
  expect(spoken({ CI: 'false' }, { isTTY: true }).output.isTerminal).toBe(true);
  expect(spoken({ COLUMNS: '40' }, {}).output.width).toBe(40);
  expect(spoken({ COLUMNS: 'many' }, {}).output.width).toBe(120);
  expect(spoken({ COLUMNS: '40' }, { isTTY: true, columns: 60 }).output.width).toBe(60);
  expect(progressLine(progress, 40)).toBe('epoch 3/20  12/30  loss 0.5234');
});
