/** Where the marks of a recorded step come to lie among its dispatches: values leave as soon as they are complete. */
import type { Mark, RecordedDispatch } from './recording.ts';
import type { BufferSlice } from './slice.ts';

/** A mark; `at` counts the dispatches before it in the list that is encoded. */
export type PlacedMark = Mark;

/** The part of an arena that a slice is, where it is one. */
export type PartOf = (slice: BufferSlice) => { readonly arena: BufferSlice; readonly offset: number } | undefined;

interface Extent {
  readonly root: BufferSlice | GPUBuffer;
  readonly start: number;
  readonly end: number;
}

/**
 * Moves each leave up to where the last dispatch before it has written what leaves. Marks keep their order, which is the
 * same for all processes that run the step.
 * @param breaks where each mark was recorded, in `list`
 */
export function placeMarks(
  marks: readonly Mark[],
  { list, breaks }: { readonly list: readonly RecordedDispatch[]; readonly breaks: readonly number[] },
  partOf: PartOf,
): PlacedMark[] {
  if (marks.length === 0) return [];
  const written = list.map((dispatch) => writesOf(dispatch).map((slice) => extentOf(slice, partOf)));
  let before = 0;
  return marks.map((mark, i) => {
    const recorded = breaks[i] ?? list.length;
    const ready = mark.kind === 'leave' ? completeAt(mark.exchange.from, written, recorded, partOf) : recorded;
    before = Math.max(before, ready);
    return { ...mark, at: before };
  });
}

function completeAt(
  slices: readonly BufferSlice[],
  written: readonly (readonly Extent[])[],
  end: number,
  partOf: PartOf,
): number {
  const wanted = slices.map((slice) => extentOf(slice, partOf));
  for (let at = end; at > 0; at--)
    if (written[at - 1]?.some((one) => wanted.some((other) => overlap(one, other)))) return at;
  return 0;
}

const overlap = (a: Extent, b: Extent): boolean => a.root === b.root && a.start < b.end && b.start < a.end;

function extentOf(slice: BufferSlice, partOf: PartOf): Extent {
  const part = partOf(slice);
  if (part) return { root: part.arena, start: part.offset, end: part.offset + slice.size };
  if (slice.isPlaced) return { root: slice.buffer, start: slice.offset, end: slice.offset + slice.size };
  return { root: slice, start: 0, end: slice.size };
}

function writesOf({ plan, slices }: RecordedDispatch): BufferSlice[] {
  const types = plan.shader.bindings.filter(({ type }) => type !== 'uniform').map(({ type }) => type);
  return slices.filter((_, b) => types[b] === 'read_write');
}
