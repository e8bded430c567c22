// Python's slices of a sequence: start:stop:step, negative numbers counting from the end.

export interface PythonSlice {
  start: number | undefined;
  stop: number | undefined;
  step: number;
}

/** Reads `start:stop` or `start:stop:step`; undefined if it is not one. */
export function parseSlice(text: string): PythonSlice | undefined {
  const match = /^\s*([+-]?\d+)?\s*:\s*([+-]?\d+)?\s*(?::\s*([+-]?\d+)?\s*)?$/.exec(text);
  if (!match) return undefined;
  const read = (group: string | undefined): number | undefined => (group === undefined ? undefined : Number(group));
  return { start: read(match[1]), stop: read(match[2]), step: read(match[3]) ?? 1 };
}

/** The indices of a sequence of `length` that the slice takes, in its order; as Python's slice.indices. */
export function sliceIndices({ start, stop, step }: PythonSlice, length: number): number[] {
  const [lowest, highest] = step > 0 ? [0, length] : [-1, length - 1];
  const place = (value: number): number => Math.min(highest, Math.max(lowest, value < 0 ? value + length : value));
  const from = start === undefined ? (step > 0 ? lowest : highest) : place(start);
  const to = stop === undefined ? (step > 0 ? highest : lowest) : place(stop);
  const indices: number[] = [];
  for (let i = from; step > 0 ? i < to : i > to; i += step) indices.push(i);
  return indices;
}
