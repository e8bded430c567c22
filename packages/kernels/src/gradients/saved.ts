/** What gradients of fused kernels share: typed access to what the tape hands them. */
import type { Tensor } from '@tensorflow/tfjs-core';

/** The incoming gradient of the first output. @throws when there is none. */
export function firstGradient(kernel: string, dys: Tensor | readonly Tensor[]): Tensor {
  const dy = 'dataId' in dys ? dys : dys[0];
  if (!dy) throw new Error(`${kernel}: no gradient of the output was given`);
  return dy;
}

/** The tensors that the tape saved, by name: inputsToSave, then outputsToSave. @throws when one is missing. */
export function savedTensors<Name extends string>(
  kernel: string,
  saved: readonly Tensor[],
  ...names: readonly Name[]
): Record<Name, Tensor> {
  const entries = names.map((name, i) => {
    const tensor = saved[i];
    if (!tensor) throw new Error(`${kernel}: the tape did not save '${name}'`);
    return [name, tensor] as const;
  });
  return Object.fromEntries(entries) as Record<Name, Tensor>;
}

/** A tensor that was computed for the input `name`. @throws when it was not. */
export function computed(kernel: string, name: string, tensor: Tensor | undefined): Tensor {
  if (!tensor) throw new Error(`${kernel}: no gradient was computed for '${name}'`);
  return tensor;
}
