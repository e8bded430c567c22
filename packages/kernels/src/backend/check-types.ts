/** Tensors must be of the type that a shader reads. */
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { ThawGpuError } from '../runtime/errors.ts';
import type { Plan } from '../runtime/plan.ts';

/** @throws when a tensor's numbers are not of the type that the shader reads, rather than take their bits for others */
export function checkTypes({ shader }: Plan, inputs: Readonly<Record<string, TensorInfo | undefined>>): void {
  for (const { name, element } of shader.bindings) {
    const dtype = inputs[name]?.dtype;
    if (dtype === undefined) continue;
    const wrong = element === 'i32' ? dtype === 'float32' : (element === 'f32' || element === 'stored') && dtype !== 'float32'; // prettier-ignore
    if (wrong)
      throw new ThawGpuError(
        `${shader.name}: '${name}' is of type ${dtype}, and this kernel reads ${element === 'i32' ? 'int32' : 'float32'}; cast it first`,
      );
  }
}
