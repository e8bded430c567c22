// Checkpoints as safetensors: variables under their names, optimizer state under `optimizer/`, averages of the variables under
// `average/`, progress as metadata.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Checkpoint, CheckpointStore, NamedTensors, Progress } from '../training/types.ts';
import { readSafetensors, SafetensorsError, toFloat32, writeSafetensors } from '../weights/index.ts';
import { writeAtomically } from './atomic.ts';

const OPTIMIZER = 'optimizer/';
const AVERAGE = 'average/';

/** last.safetensors and best.safetensors in a run folder. */
export class FileCheckpoints implements CheckpointStore {
  constructor(private readonly folder: string) {}

  /** Writes last.safetensors. */
  saveLast(checkpoint: Checkpoint): Promise<void> {
    return writeAtomically(join(this.folder, 'last.safetensors'), encodeCheckpoint(checkpoint));
  }

  /** Writes best.safetensors. */
  saveBest(checkpoint: Checkpoint): Promise<void> {
    return writeAtomically(join(this.folder, 'best.safetensors'), encodeCheckpoint(checkpoint));
  }
}

export function encodeCheckpoint({ variables, optimizer, average, progress }: Checkpoint): Uint8Array {
  const under = (prefix: string, tensors: NamedTensors): [string, NamedTensor][] =>
    [...tensors].map(([name, tensor]) => [prefix + name, tensor]);
  const tensors = [...variables, ...under(OPTIMIZER, optimizer), ...under(AVERAGE, average ?? new Map())];
  return writeSafetensors(new Map(tensors), { thaw: JSON.stringify(progress) });
}

/** @throws SafetensorsError when the file is damaged or no checkpoint of Thaw */
export async function loadCheckpoint(path: string): Promise<Checkpoint> {
  const { tensors, metadata } = readSafetensors(await readFile(path), path);
  const { thaw } = metadata;
  if (thaw === undefined) throw new SafetensorsError(`${path}: no checkpoint of Thaw (its metadata has no 'thaw').`);
  const variables = new Map<string, NamedTensor>();
  const optimizer = new Map<string, NamedTensor>();
  const average = new Map<string, NamedTensor>();
  for (const [name, tensor] of tensors) {
    const data = toFloat32(tensor);
    if (!data) throw new SafetensorsError(`${path}: '${name}' is ${tensor.dtype}, not floating point.`);
    const value = { shape: tensor.shape, data };
    if (name.startsWith(OPTIMIZER)) optimizer.set(name.slice(OPTIMIZER.length), value);
    else if (name.startsWith(AVERAGE)) average.set(name.slice(AVERAGE.length), value);
    else variables.set(name, value);
  }
  const progress = JSON.parse(thaw) as Progress;
  return { variables, optimizer, average: average.size > 0 ? average : undefined, progress };
}

type NamedTensor = NamedTensors extends ReadonlyMap<string, infer T> ? T : never;
