// Checkpoints as safetensors: variables under their names, optimizer state under `optimizer/`, averages of the variables under
// `average/`, progress as metadata, and there the SHA-256 of the whole file, computed with 64 zeros in its own place.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Checkpoint, CheckpointStore, NamedTensors, Progress } from '../training/types.ts';
import { readSafetensors, SafetensorsError, toFloat32, writeSafetensors } from '../weights/index.ts';
import { replaceAtomically, writeAtomically } from './atomic.ts';
import { parseProgress } from './progress.ts';

const OPTIMIZER = 'optimizer/';
const AVERAGE = 'average/';
const UNHASHED = '0'.repeat(64);

/** last.safetensors and best.safetensors in a run folder, and the last but one as last.previous.safetensors. */
export class FileCheckpoints implements CheckpointStore {
  readonly #last: string;
  readonly #previous: string;
  readonly #best: string;
  /** Whether the last checkpoint is whole: only then it takes the place of the one before. */
  #isSound = false;
  #kept: Progress | undefined;

  /** @param onNote told of a checkpoint that could not be used, and which is used instead */
  constructor(
    folder: string,
    private readonly onNote: (note: string) => void = () => undefined,
  ) {
    this.#last = join(folder, 'last.safetensors');
    this.#previous = join(folder, 'last.previous.safetensors');
    this.#best = join(folder, 'best.safetensors');
  }

  /** How far the last checkpoint is that was written or read here. */
  get kept(): Progress | undefined {
    return this.#kept;
  }

  /** Writes last.safetensors; what was there is kept until the next time. */
  async saveLast(checkpoint: Checkpoint): Promise<void> {
    const bytes = encodeCheckpoint(checkpoint);
    if (this.#isSound) await replaceAtomically(this.#last, this.#previous, bytes);
    else await writeAtomically(this.#last, bytes);
    this.#isSound = true;
    this.#kept = checkpoint.progress;
  }

  /** Writes best.safetensors. */
  saveBest(checkpoint: Checkpoint): Promise<void> {
    return writeAtomically(this.#best, encodeCheckpoint(checkpoint));
  }

  /**
   * The last checkpoint; the one before it where that is damaged or, after a process was killed, not yet in its place.
   * Undefined where there is neither.
   * @throws SafetensorsError where both are damaged, or one and there is no other
   */
  async loadLast(): Promise<Checkpoint | undefined> {
    const found = await this.#lastOrPrevious();
    this.#kept = found?.progress;
    return found;
  }

  async #lastOrPrevious(): Promise<Checkpoint | undefined> {
    this.#isSound = false;
    let damage: SafetensorsError | undefined;
    try {
      const last = await loadIfThere(this.#last);
      this.#isSound = last !== undefined;
      if (last) return last;
    } catch (error) {
      if (!(error instanceof SafetensorsError)) throw error;
      damage = error;
    }
    try {
      const previous = await loadIfThere(this.#previous);
      if (damage && !previous) throw new SafetensorsError(`${damage.message} There is none before it.`);
      if (damage) this.onNote(`${damage.message} ${this.#previous}, the one before it, is used instead.`);
      return previous;
    } catch (error) {
      if (!(error instanceof SafetensorsError) || !damage || error.message.startsWith(damage.message)) throw error;
      throw new SafetensorsError(`${damage.message} Neither can the one before it be used: ${error.message}`);
    }
  }

  /** The checkpoint of the best epoch; undefined where there is none. @throws SafetensorsError where it is damaged */
  loadBest(): Promise<Checkpoint | undefined> {
    return loadIfThere(this.#best);
  }
}

async function loadIfThere(path: string): Promise<Checkpoint | undefined> {
  return loadCheckpoint(path).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  });
}

/** A checkpoint as the bytes of its file. */
export function encodeCheckpoint({ variables, optimizer, average, progress }: Checkpoint): Uint8Array {
  const under = (prefix: string, tensors: NamedTensors): [string, NamedTensor][] =>
    [...tensors].map(([name, tensor]) => [prefix + name, tensor]);
  const tensors = [...variables, ...under(OPTIMIZER, optimizer), ...under(AVERAGE, average ?? new Map())];
  const file = writeSafetensors(new Map(tensors), { sha256: UNHASHED, thaw: JSON.stringify(progress) });
  const at = hashPosition(file, UNHASHED);
  file.set(new TextEncoder().encode(createHash('sha256').update(file).digest('hex')), at);
  return file;
}

/** @throws SafetensorsError when the file is damaged or no checkpoint of Thaw */
export async function loadCheckpoint(path: string): Promise<Checkpoint> {
  return decodeCheckpoint(await readFile(path), path);
}

/**
 * A checkpoint from the bytes of its file, which are its own from now on.
 * @param label how messages call the file
 * @throws SafetensorsError when it is damaged or no checkpoint of Thaw
 */
export function decodeCheckpoint(file: Uint8Array, label: string): Checkpoint {
  const { tensors, metadata } = readSafetensors(file, label);
  const { thaw, sha256 } = metadata;
  if (thaw === undefined) throw new SafetensorsError(`${label}: no checkpoint of Thaw (its metadata has no 'thaw').`);
  // Checkpoints from before there were hashes have none, and nothing in its place.
  if (Object.keys(metadata).length > 1) checkHash(file, sha256 ?? '', label);
  const variables = new Map<string, NamedTensor>();
  const optimizer = new Map<string, NamedTensor>();
  const average = new Map<string, NamedTensor>();
  for (const [name, tensor] of tensors) {
    const data = toFloat32(tensor);
    if (!data) throw new SafetensorsError(`${label}: '${name}' is ${tensor.dtype}, not floating point.`);
    const value = { shape: tensor.shape, data };
    if (name.startsWith(OPTIMIZER)) optimizer.set(name.slice(OPTIMIZER.length), value);
    else if (name.startsWith(AVERAGE)) average.set(name.slice(AVERAGE.length), value);
    else variables.set(name, value);
  }
  try {
    const progress = parseProgress(thaw);
    return { variables, optimizer, average: average.size > 0 ? average : undefined, progress };
  } catch (error) {
    throw new SafetensorsError(
      `${label}: its metadata 'thaw': ${error instanceof Error ? error.message : String(error)}.`,
    );
  }
}

function checkHash(file: Uint8Array, sha256: string, label: string): void {
  const at = hashPosition(file, sha256);
  const hash = createHash('sha256');
  if (at >= 0)
    hash
      .update(file.subarray(0, at))
      .update(UNHASHED)
      .update(file.subarray(at + UNHASHED.length));
  const actual = hash.digest('hex');
  if (at < 0 || actual !== sha256)
    throw new SafetensorsError(`${label}: damaged: its SHA-256 is ${actual}, its metadata says '${sha256}'.`);
}

/** Where the hash stands in the file; -1 where it stands nowhere. */
function hashPosition(file: Uint8Array, sha256: string): number {
  const key = '"sha256":"';
  if (sha256.length !== UNHASHED.length) return -1;
  const at = Buffer.from(file.buffer, file.byteOffset, file.byteLength).indexOf(`${key}${sha256}"`);
  return at < 0 ? -1 : at + key.length;
}

type NamedTensor = NamedTensors extends ReadonlyMap<string, infer T> ? T : never;
