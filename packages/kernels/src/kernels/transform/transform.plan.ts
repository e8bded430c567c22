/** Plans of strided copies: one shader for all that only moves elements about. */
import { checkBinding, elements, foldWorkgroups, type DeviceType, type Limits, type Plan } from '../../runtime/plan.ts';
import { readShader } from '../../wgsl/shader.ts';
import { fields, MAX_RANK, padShape } from '../elementwise/elementwise.plan.ts';
import source from './transform.wgsl?raw';

export const shader = readShader('transform', source);

/** What an index outside of the source reads. */
const outsides = { constant: 0, repeat: 1, reflect: 2, symmetric: 3 } as const;

export interface Copy {
  readonly kernel: string;
  /** Shape that is walked: y's, or x's when scattering. */
  readonly shape: readonly number[];
  /** Stride in the other tensor of each dimension of `shape`; it may be negative. */
  readonly strides: readonly number[];
  readonly offset?: number;
  /** Where the source begins in each dimension, and its length there; default all of `shape`. */
  readonly begin?: readonly number[];
  readonly lengths?: readonly number[];
  readonly outside?: keyof typeof outsides;
  readonly scatter?: boolean;
  /** Bits of the constant outside the source. */
  readonly bits?: number;
}

/** Shape and strides with neighbouring dimensions joined where one stride walks both. */
function joined(shape: readonly number[], strides: readonly number[]): [number[], number[]] {
  const dims: number[] = [];
  const steps: number[] = [];
  shape.forEach((d, i) => {
    const stride = strides[i] ?? 0;
    const [last, step] = [dims.at(-1), steps.at(-1)];
    if (d === 1) return;
    if (last !== undefined && step === d * stride) {
      dims[dims.length - 1] = last * d;
      steps[steps.length - 1] = stride;
    } else {
      dims.push(d);
      steps.push(stride);
    }
  });
  return [dims, steps];
}

export function planStridedCopy(copy: Copy, dtype: DeviceType, limits: Limits): Plan {
  const { kernel, shape, offset = 0, outside = 'constant', begin, lengths, scatter = false, bits = 0 } = copy;
  const isWhole = begin === undefined && lengths === undefined;
  const [walked, strides] = isWhole ? joined(shape, copy.strides) : [shape, copy.strides];
  const dims = padShape(kernel, walked);
  const front = <T>(values: readonly T[], fill: T) => [...new Array<T>(MAX_RANK - values.length).fill(fill), ...values];
  checkBinding(kernel, scatter ? 'x' : 'y', shape, limits);
  const size = elements(shape);
  return {
    shader,
    tuning: shader.tunables,
    constants: { OUTSIDE: outsides[outside], SCATTER: Number(scatter) },
    params: { size, bits, offset, ...fields('d', dims), ...fields('s', front(strides, 0)), ...fields('lo', front(begin ?? [], 0)), ...fields('n', front(lengths ?? walked, 1)) }, // prettier-ignore
    workgroups: foldWorkgroups(kernel, Math.ceil(size / (shader.tunables['THREADS'] ?? 1)), limits),
    outputs: scatter ? {} : { y: { shape, dtype } },
  };
}
