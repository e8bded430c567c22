// Work dealt to the ranks of a group, and what came of it put together again on all of them.
import type { Group } from './group.ts';

/** Another rank failed at what all do together. */
export class OtherRankError extends Error {
  /** Its kind, for programs. */
  override readonly name = 'OtherRankError';

  /** @param rank the lowest that failed */
  constructor(
    readonly rank: number,
    message: string,
  ) {
    super(message);
  }
}

/**
 * A rank's positions of `length`: whole batches, one rank's after the other's, so that no batch is another than without a group.
 * @returns none where there are fewer batches than ranks before this one
 */
export function shareOf(
  length: number,
  batchSize: number,
  group: Pick<Group, 'rank' | 'size'> | undefined,
): Int32Array {
  const { rank, size } = group ?? { rank: 0, size: 1 };
  const batches = Math.ceil(length / batchSize);
  const startOf = (index: number): number => Math.min(length, Math.floor((index * batches) / size) * batchSize);
  const from = startOf(rank);
  return Int32Array.from({ length: startOf(rank + 1) - from }, (_, i) => from + i);
}

/** Rows of numbers and a label for each. */
export interface LabelledRows {
  /** [labels.length, width] */
  readonly values: Float32Array;
  /** One of each row. */
  readonly labels: Int32Array;
}

/**
 * Does a rank's share and gives every rank all shares, in the order of the ranks. Collective.
 * @param work undefined where it was stopped
 * @returns undefined where any rank was stopped
 * @throws what `work` throws; OtherRankError where it failed on another rank alone: no rank is left waiting
 */
export async function gatherRows(
  group: Group | undefined,
  work: () => Promise<LabelledRows | undefined>,
): Promise<readonly LabelledRows[] | undefined> {
  if (!group) {
    const own = await work();
    return own && [own];
  }
  let own: LabelledRows | undefined;
  let failure: { readonly error: unknown } | undefined;
  try {
    own = await work();
  } catch (error) {
    failure = { error };
  }
  const told = await group.gather(encode({ labels: own?.labels, failure }));
  const outcomes = told.map(decode);
  if (failure) throw failure.error;
  const failed = outcomes.findIndex(({ message }) => message !== undefined);
  if (failed !== -1) throw new OtherRankError(failed, `Rank ${failed}: ${outcomes[failed]?.message ?? ''}`);
  if (!own || outcomes.some(({ labels }) => !labels)) return undefined;
  const { buffer, byteOffset, byteLength } = own.values;
  const values = await group.gather(new Uint8Array(buffer, byteOffset, byteLength));
  return outcomes.map(({ labels }, rank) => ({ labels: labels ?? new Int32Array(), values: floats(values[rank]) }));
}

/** The rows of all parts, one part's after the other's. */
export function joinRows(parts: readonly LabelledRows[]): LabelledRows {
  const [first] = parts;
  if (first && parts.length === 1) return first;
  const sum = (name: keyof LabelledRows): number => parts.reduce((total, part) => total + part[name].length, 0);
  const [values, labels] = [new Float32Array(sum('values')), new Int32Array(sum('labels'))];
  let [valuesAt, labelsAt] = [0, 0];
  for (const part of parts) {
    values.set(part.values, valuesAt);
    labels.set(part.labels, labelsAt);
    valuesAt += part.values.length;
    labelsAt += part.labels.length;
  }
  return { values, labels };
}

const DONE = 0;
const STOPPED = 1;
const FAILED = 2;

interface Outcome {
  readonly labels?: Int32Array | undefined;
  readonly message?: string | undefined;
}

/** A word that says what came of it, then labels or a message. */
function encode({
  labels,
  failure,
}: Pick<Outcome, 'labels'> & { failure: { readonly error: unknown } | undefined }): Uint8Array {
  if (failure) {
    const { error } = failure;
    const text = new TextEncoder().encode(error instanceof Error ? error.message : String(error));
    const bytes = new Uint8Array(4 + text.length);
    bytes[0] = FAILED;
    bytes.set(text, 4);
    return bytes;
  }
  const words = new Int32Array(1 + (labels?.length ?? 0));
  words[0] = labels ? DONE : STOPPED;
  if (labels) words.set(labels, 1);
  return new Uint8Array(words.buffer);
}

function decode(bytes: Uint8Array): Outcome {
  if (bytes[0] === FAILED) return { message: new TextDecoder().decode(bytes.subarray(4)) };
  return bytes[0] === STOPPED ? {} : { labels: new Int32Array(bytes.slice(4).buffer) };
}

/** The numbers of bytes that may lie anywhere. */
function floats(bytes: Uint8Array = new Uint8Array()): Float32Array {
  return bytes.byteOffset % 4 === 0
    ? new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4)
    : new Float32Array(bytes.slice().buffer);
}
