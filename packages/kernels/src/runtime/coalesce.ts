/**
 * Makes one dispatch of neighbours that do the same, element by element, to different tensors: the optimizer's step over
 * all parameters. The tensors at each binding are laid out one after the other in an arena, so that one range covers them.
 */
import { packParams } from '../wgsl/shader.ts';
import { foldWorkgroups, numberBytes, type Limits } from './plan.ts';
import type { RecordedDispatch } from './recording.ts';
import type { BufferSlice } from './slice.ts';

/** Offsets in an arena are multiples of this many numbers: in halves, too, that is what every device accepts for a binding. */
const ARENA_NUMBERS = 128;
export const aligned = (bytes: number, alignment: number): number => Math.ceil(bytes / alignment) * alignment;

/** Lays slices out one after the other, at multiples of `alignment` bytes; undefined where that cannot be done. */
export type LayOut = (slices: readonly BufferSlice[], alignment: number) => BufferSlice | undefined;

/** Where tensors and tables are put. */
export interface Places {
  /** Gives a slice that covers the given ones. */
  readonly layOut: LayOut;
  /** Storage that holds these values as long as the step. */
  readonly constant: (values: Uint32Array<ArrayBuffer>) => BufferSlice;
}

/**
 * The dispatches with neighbours made one where that can be.
 * @param breaks positions that no run may reach over, in ascending order
 * @returns them, and where each break is in their list
 */
export function coalesce(
  dispatches: readonly RecordedDispatch[],
  limits: Limits,
  places: Places,
  breaks: readonly number[] = [],
): { list: RecordedDispatch[]; breaks: number[] } {
  const result: RecordedDispatch[] = [];
  const moved: number[] = [];
  for (let i = 0; i < dispatches.length;) {
    while ((breaks[moved.length] ?? Infinity) <= i) moved.push(result.length);
    const run = runFrom(dispatches, i, breaks[moved.length] ?? dispatches.length, limits.maxStorageBufferBindingSize);
    const merged = run.length > 1 && mayMove(run, dispatches) ? merge(run, limits, places) : undefined;
    result.push(...(merged ? [merged] : run));
    i += run.length;
  }
  while (moved.length < breaks.length) moved.push(result.length);
  return { list: result, breaks: moved };
}

const sizeless = ({ plan }: RecordedDispatch): string =>
  JSON.stringify(Object.entries(plan.params).filter(([name]) => name !== 'size' && name !== 'length'));

function runFrom(
  dispatches: readonly RecordedDispatch[],
  start: number,
  end: number,
  mostBytes: number,
): RecordedDispatch[] {
  const first = dispatches[start];
  if (!first) return [];
  const run = [first];
  if (!first.plan.elementwise) return run;
  let numbers = numbersOf(first);
  const roles = rolesOf(first);
  for (let i = start + 1; i < end; i++) {
    const next = dispatches[i];
    if (next?.pipeline !== first.pipeline || sizeless(next) !== sizeless(first)) break;
    // Tensors of another arena stay in it: a run ends where the arena does.
    const fits = (slice: BufferSlice, b: number): boolean =>
      roles[b] === 'tensor'
        ? next.slices[b]?.owner === slice.owner
        : roles[b] === 'lengths' || next.slices[b] === slice;
    if (!first.slices.every(fits)) break;
    numbers += numbersOf(next);
    if (4 * numbers > mostBytes) break;
    run.push(next);
  }
  return run;
}

/** Numbers that a dispatch takes in an arena. */
const numbersOf = ({ plan }: RecordedDispatch): number => aligned(4 * (plan.params['size'] ?? 0), ARENA_NUMBERS);

/** What the tensors at a binding are to a run: shared by its dispatches, a table of lengths, or laid out. */
type Role = 'shared' | 'lengths' | 'tensor';

/** In the order of `slices`. */
function rolesOf({ plan }: RecordedDispatch): Role[] {
  const { shared = [], lengths } = plan.elementwise ?? {};
  const given = plan.shader.bindings.filter(({ type }) => type !== 'uniform');
  return given.map(({ name }) => (name === lengths ? 'lengths' : shared.includes(name) ? 'shared' : 'tensor'));
}

/** Slices at each binding of a run; one alone where they are not laid out. */
function columns(run: readonly RecordedDispatch[]): BufferSlice[][] {
  const [first] = run;
  if (!first) return [];
  const roles = rolesOf(first);
  return first.slices.map((slice, b) =>
    roles[b] === 'tensor' ? run.flatMap(({ slices }) => slices[b] ?? []) : [slice],
  );
}

/** Whether no other dispatch would then read one tensor of an arena and write another: a buffer can be only one of both. */
function mayMove(run: readonly RecordedDispatch[], dispatches: readonly RecordedDispatch[]): boolean {
  const arenaOf = new Map<BufferSlice, number>();
  for (const [b, column] of columns(run).entries())
    if (column.length > 1)
      for (const slice of column) {
        if (arenaOf.has(slice)) return false;
        arenaOf.set(slice, b);
      }
  return dispatches.every(({ plan, slices }) => {
    const types = plan.shader.bindings.filter(({ type }) => type !== 'uniform').map(({ type }) => type);
    const arenas = (type: string): Set<number> =>
      new Set(slices.flatMap((slice, b) => (types[b] === type ? (arenaOf.get(slice) ?? []) : [])));
    const read = arenas('read');
    return [...arenas('read_write')].every((arena) => !read.has(arena));
  });
}

function merge(
  run: readonly RecordedDispatch[],
  limits: Limits,
  { layOut, constant }: Places,
): RecordedDispatch | undefined {
  const [first] = run;
  if (!first?.plan.elementwise) return undefined;
  const { perWorkgroup } = first.plan.elementwise;
  const slices: BufferSlice[] = [];
  const bindings = first.plan.shader.bindings.filter(({ type }) => type !== 'uniform');
  for (const [b, column] of columns(run).entries()) {
    const [only] = column;
    const [binding] = bindings.slice(b);
    if (!binding) return undefined;
    const slice = column.length === 1 ? only : layOut(column, ARENA_NUMBERS * numberBytes(binding, first.plan));
    if (!slice) return undefined;
    slices.push(slice);
  }
  const size = run.reduce((sum, dispatch) => sum + numbersOf(dispatch), 0) / 4;
  const { shader } = first.plan;
  const table = rolesOf(first).indexOf('lengths');
  if (table >= 0) slices[table] = constant(lengthsOf(run));
  const params = { ...first.plan.params, size, ...(table >= 0 && { granule: ARENA_NUMBERS }) };
  const groups = Math.ceil(size / perWorkgroup);
  const plan = { ...first.plan, params, workgroups: foldWorkgroups(shader.name, groups, limits) };
  return { pipeline: first.pipeline, plan, slices, from: first.from, params: packParams(shader, params) };
}

/** Of each ARENA_NUMBERS numbers of the arena, how many are a tensor's: the rest is padding, which may hold anything. */
function lengthsOf(run: readonly RecordedDispatch[]): Uint32Array<ArrayBuffer> {
  const lengths = run.flatMap((dispatch) => {
    const length = dispatch.plan.params['length'] ?? 0;
    return Array.from({ length: numbersOf(dispatch) / ARENA_NUMBERS }, (_, g) =>
      Math.min(Math.max(length - g * ARENA_NUMBERS, 0), ARENA_NUMBERS),
    );
  });
  return Uint32Array.from(lengths);
}
