// Values leave right behind the last dispatch that writes them, in the order in which they were marked.
import { expect, test } from 'vitest';
import { readShader } from '../wgsl/shader.ts';
import copySource from '../kernels/optimizers/copy.wgsl?raw';
import { placeMarks } from './marks.ts';
import type { Exchange, RecordedDispatch } from './recording.ts';
import { BufferSlice } from './slice.ts';

const nobody = { release: () => undefined };
const slice = (): BufferSlice => new BufferSlice(undefined, 0, 64, nobody);
const shader = readShader('copy', copySource);

/** A dispatch that reads the one and writes the other. */
const dispatch = (read: BufferSlice, written: BufferSlice): RecordedDispatch =>
  ({ plan: { shader, params: {}, constants: {}, tuning: {}, workgroups: [1, 1, 1], outputs: {} }, slices: [read, written] }) as Partial<RecordedDispatch> as RecordedDispatch; // prettier-ignore

const exchangeOf = (...from: BufferSlice[]): Exchange => ({ from, into: from, swap: () => Promise.resolve() });

test('each leave moves up to its last writer, and none before the one that was marked before it', () => {
  const [x, early, late, other] = [slice(), slice(), slice(), slice()];
  const list = [dispatch(x, early), dispatch(early, other), dispatch(other, late), dispatch(late, x)];
  const [first, second] = [exchangeOf(late), exchangeOf(early)];
  const place = (marks: { kind: 'leave' | 'arrive'; exchange: Exchange }[]): number[] =>
    placeMarks(marks.map((mark) => ({ ...mark, at: 4 })), { list, breaks: marks.map(() => 4) }, () => undefined).map(({ at }) => at); // prettier-ignore
  // By hand: `early` is written by dispatch 0 alone, `late` by dispatch 2; what was marked at the end arrives at the end.
  expect(place([{ kind: 'leave', exchange: second }, { kind: 'leave', exchange: first }, { kind: 'arrive', exchange: second }])).toEqual([1, 3, 4]); // prettier-ignore
  expect(place([{ kind: 'leave', exchange: first }, { kind: 'leave', exchange: second }])).toEqual([3, 3]); // prettier-ignore
});

test('of an arena only what is written of the tensor counts', () => {
  const [x, arena] = [slice(), new BufferSlice(undefined, 0, 256, nobody)];
  const [low, high] = [slice(), slice()];
  const offsets = new Map([[low, 0], [high, 128]]); // prettier-ignore
  const partOf = (one: BufferSlice) => {
    const offset = offsets.get(one);
    return offset === undefined ? undefined : { arena, offset };
  };
  const list = [dispatch(x, low), dispatch(x, high)];
  const marks = [{ kind: 'leave', exchange: exchangeOf(low), at: 2 }] as const;
  expect(placeMarks(marks, { list, breaks: [2] }, partOf).map(({ at }) => at)).toEqual([1]);
});
