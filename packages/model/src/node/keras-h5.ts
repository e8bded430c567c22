// Keras's HDF5 weight files, read with h5wasm: every float dataset under the layer table's name.
import type { Entity, Group } from 'h5wasm';
import { kerasNameOfDataset } from '../weights/keras-h5-names.ts';
import { WeightsError, type WeightTensor } from '../weights/index.ts';

/** Whether the library throws, which it is told once. */
let isThrowing = false;

/**
 * @param path the file's
 * @throws WeightsError when it is not HDF5, is truncated, or holds something else than layers' weights
 */
export async function readKerasH5(path: string): Promise<Map<string, WeightTensor>> {
  // Loaded only where an h5 file is read: the module is 4 MB of WebAssembly.
  const h5wasm = await import('h5wasm/node');
  const isGroup = (entity: Entity | null): entity is Group => entity instanceof h5wasm.Group;
  try {
    const library = await h5wasm.ready;
    if (!isThrowing) library.activate_throwing_error_handler();
    isThrowing = true;
    const file = new h5wasm.File(path, 'r');
    try {
      // A whole saved model has its weights one level down.
      const nested = file.keys().includes('model_weights') ? file.get('model_weights') : file;
      const root = isGroup(nested) ? nested : file;
      if (root.keys().includes('layers')) {
        throw new WeightsError(
          `${path}: a Keras 3 weights file, which does not name its layers; save it as .h5 with Keras 2 names instead.`,
        );
      }
      const tensors = new Map<string, WeightTensor>();
      for (const datasetPath of root.paths()) {
        const entity = root.get(datasetPath);
        if (!(entity instanceof h5wasm.Dataset)) continue;
        const parts = datasetPath.split('/').filter((part) => part !== '');
        const name = kerasNameOfDataset(parts[0] ?? '', parts.at(-1) ?? '') ?? datasetPath;
        tensors.set(name, floats(entity.value, entity.shape ?? [], `${path}: dataset '${datasetPath}'`));
      }
      return tensors;
    } finally {
      file.close();
    }
  } catch (error) {
    if (error instanceof WeightsError) throw error;
    if (error instanceof WebAssembly.RuntimeError)
      throw new WeightsError(
        `${path}: not readable as HDF5: the HDF5 library gave up on it or on a file before it (${error.message}), and reads no more in this process.`,
      );
    throw new WeightsError(`${path}: not readable as HDF5: ${innermostReason(error)}.`);
  }
}

function floats(value: unknown, shape: number[], label: string): WeightTensor {
  if (value instanceof Float32Array) return { shape, data: value };
  if (value instanceof Float64Array) return { shape, data: Float32Array.from(value) };
  throw new WeightsError(`${label} does not hold float32 or float64 values.`);
}

/** HDF5 reports a stack of messages; the innermost, its last numbered line, says what is wrong. */
function innermostReason(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const lines = [...message.matchAll(/^\s*#\d+: .*?\(\): (.+)$/gm)];
  return lines.at(-1)?.[1] ?? message;
}
