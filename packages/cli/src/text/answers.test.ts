// Each format, as its readers take it.
import pc from 'picocolors';
import { expect, test } from 'vitest';
import { answerWriter, type Answer } from './answers.ts';

const answers: Answer[] = [
  {
    file: 'a, "b".png',
    classes: [
      { class: 'ant', index: 0, probability: 0.75 },
      { class: 'bee\nhive', index: 1, probability: 0.25 },
    ],
  },
  { file: 'c.png', classes: [{ class: 'bee\nhive', index: 1, probability: 1 }] },
];
const shape = { fileWidth: 12, classWidth: 8, colors: pc.createColors(false) };

function written(format: Parameters<typeof answerWriter>[0], some = answers): string {
  const { head, line, tail } = answerWriter(format, shape);
  return [head, ...some.map(line), tail].filter((text) => text !== undefined).join('\n');
}

test('CSV: quotes, commas and line ends are kept in their cell (RFC 4180)', () => {
  expect(written('csv')).toBe(
    'file,rank,class,probability\n"a, ""b"".png",1,ant,0.750000\n"a, ""b"".png",2,"bee\nhive",0.250000\nc.png,1,"bee\nhive",1.000000',
  );
});

test('JSON: one array, of none, too; JSON lines: a line each', () => {
  expect(JSON.parse(written('json'))).toEqual(answers);
  expect(JSON.parse(written('json', []))).toEqual([]);
  expect(
    written('jsonl')
      .split('\n')
      .map((line) => JSON.parse(line) as Answer),
  ).toEqual(answers);
});

test('a table: a name that is too long loses its beginning', () => {
  const long = { file: 'photos/summer/holiday.png', classes: [{ class: 'ant', index: 0, probability: 0.5 }] };
  expect(written('table', [long, answers[0]!])).toBe(
    ['file          class', '…holiday.png  ant        50.0 %', 'a, "b".png    ant        75.0 %', '              bee hive   25.0 %'].join('\n'),
  ); // prettier-ignore
});
