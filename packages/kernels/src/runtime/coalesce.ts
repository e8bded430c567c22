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

/** @param layOut gives a slice that covers the given ones */
export function coalesce(dispatches: readonly RecordedDispatch[], limits: Limits, layOut: LayOut): RecordedDispatch[] {
  const result: RecordedDispatch[] = [];
  for (let i = 0; i < dispatches.length;) {
    const run = runFrom(dispatches, i, limits.maxStorageBufferBindingSize);
    const merged = run.length > 1 && mayMove(run, dispatches) ? merge(run, limits, layOut) : undefined;
    result.push(...(merged ? [merged] : run));
    i += run.length;
  }
  return result;
}

const sizeless = ({ plan }: RecordedDispatch): string =>
  JSON.stringify(Object.entries(plan.params).filter(([name]) => name !== 'size'));

function runFrom(dispatches: readonly RecordedDispatch[], start: number, mostBytes: number): RecordedDispatch[] {
  const first = dispatches[start];
  if (!first) return [];
  const run = [first];
  if (!first.plan.elementwise) return run;
  let numbers = numbersOf(first);
  const shared = sharedOf(first);
  for (let i = start + 1; i < dispatches.length; i++) {
    const next = dispatches[i];
    if (next?.pipeline !== first.pipeline || sizeless(next) !== sizeless(first)) break;
    // Tensors of another arena stay in it: a run ends where the arena does.
    const fits = (slice: BufferSlice, b: number): boolean =>
      shared.has(b) ? next.slices[b] === slice : next.slices[b]?.owner === slice.owner;
    if (!first.slices.every(fits)) break;
    numbers += numbersOf(next);
    if (4 * numbers > mostBytes) break;
    run.push(next);
  }
  return run;
}

/** Numbers that a dispatch takes in an arena. */
const numbersOf = ({ plan }: RecordedDispatch): number => aligned(4 * (plan.params['size'] ?? 0), ARENA_NUMBERS);

/** Positions in `slices` of the bindings that the dispatches of a run have in common. */
function sharedOf({ plan }: RecordedDispatch): ReadonlySet<number> {
  const names = plan.elementwise?.shared ?? [];
  const given = plan.shader.bindings.filter(({ type }) => type !== 'uniform');
  return new Set(given.flatMap(({ name }, b) => (names.includes(name) ? [b] : [])));
}

/** Slices at each binding of a run; one alone where all dispatches share it. */
function columns(run: readonly RecordedDispatch[]): BufferSlice[][] {
  const [first] = run;
  if (!first) return [];
  const shared = sharedOf(first);
  return first.slices.map((slice, b) => (shared.has(b) ? [slice] : run.flatMap(({ slices }) => slices[b] ?? [])));
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

function merge(run: readonly RecordedDispatch[], limits: Limits, layOut: LayOut): RecordedDispatch | undefined {
  const [first] = run;
  if (!first?.plan.elementwise) return undefined;
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
  const params = { ...first.plan.params, size };
  const groups = Math.ceil(size / first.plan.elementwise.perWorkgroup);
  const plan = { ...first.plan, params, workgroups: foldWorkgroups(shader.name, groups, limits) };
  return { pipeline: first.pipeline, plan, slices, params: packParams(shader, params) };
}
