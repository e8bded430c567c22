/** Plans of shaders in which a thread makes one element of y and finds its place by `group.y * groups.x + group.x`. */
import { checkBinding, elements, foldWorkgroups, type DeviceType, type Limits, type Plan } from '../runtime/plan.ts';
import type { Shader } from '../wgsl/shader.ts';

export interface PerElement {
  readonly kernel: string;
  /** Has a tunable THREADS and a Params.size, the number of threads with something to do. */
  readonly shader: Shader;
  /** Of y, or of what is walked where y is given. */
  readonly shape: readonly number[];
  readonly dtype: DeviceType;
  /** Without `size`. */
  readonly params?: Readonly<Record<string, number>>;
  readonly constants?: Readonly<Record<string, number>>;
  /** Changes a y that is given, with a thread for each element of another tensor. */
  readonly inPlace?: boolean;
}

/** @throws when y is larger than the device can bind or fill, naming kernel and remedy */
export function planPerElement(
  { kernel, shader, shape, dtype, params = {}, constants = {}, inPlace = false }: PerElement,
  limits: Limits,
): Plan {
  checkBinding(kernel, inPlace ? 'x' : 'y', shape, limits);
  const size = elements(shape);
  return {
    shader,
    tuning: shader.tunables,
    constants,
    params: { size, ...params },
    workgroups: foldWorkgroups(kernel, Math.ceil(size / (shader.tunables['THREADS'] ?? 1)), limits),
    outputs: inPlace ? {} : { y: { shape, dtype } },
  };
}
