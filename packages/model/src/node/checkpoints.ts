// Checkpoints as safetensors: variables under their names, optimizer state under `optimizer/`, progress as metadata.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Checkpoint, CheckpointStore, NamedTensors, Progress } from '../training/types.ts';
import { readSafetensors, SafetensorsError, toFloat32, writeSafetensors } from '../weights/index.ts';
import { writeAtomically } from './atomic.ts';

const OPTIMIZER = 'optimizer/';

/** last.safetensors and best.safetensors in a run folder. */
export class FileCheckpoints implements CheckpointStore {
  constructor(private readonly folder: string) {}

  saveLast(checkpoint: Checkpoint): Promise<void> {
    return writeAtomically(join(this.folder, 'last.safetensors'), encodeCheckpoint(checkpoint));
  }

  saveBest(checkpoint: Checkpoint): Promise<void> {
    return writeAtomically(join(this.folder, 'best.safetensors'), encodeCheckpoint(checkpoint));
  }
}

export function encodeCheckpoint({ variables, optimizer, progress }: Checkpoint): Uint8Array {
  const state = [...optimizer].map(([name, tensor]) => [OPTIMIZER + name, tensor] as const);
  return writeSafetensors(new Map([...variables, ...state]), { thaw: JSON.stringify(progress) });
}

/** @throws SafetensorsError when the file is damaged or no checkpoint of Thaw */
export async function loadCheckpoint(path: string): Promise<Checkpoint> {
  const { tensors, metadata } = readSafetensors(await readFile(path), path);
  const { thaw } = metadata;
  if (thaw === undefined) throw new SafetensorsError(`${path}: no checkpoint of Thaw (its metadata has no 'thaw').`);
  const variables: [string, NamedTensor][] = [];
  const optimizer: [string, NamedTensor][] = [];
  for (const [name, tensor] of tensors) {
    const data = toFloat32(tensor);
    if (!data) throw new SafetensorsError(`${path}: '${name}' is ${tensor.dtype}, not floating point.`);
    const value = { shape: tensor.shape, data };
    if (name.startsWith(OPTIMIZER)) optimizer.push([name.slice(OPTIMIZER.length), value]);
    else variables.push([name, value]);
  }
  return { variables: new Map(variables), optimizer: new Map(optimizer), progress: JSON.parse(thaw) as Progress };
}

type NamedTensor = NamedTensors extends ReadonlyMap<string, infer T> ? T : never;
