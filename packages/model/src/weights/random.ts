// Weights to train from nothing: He-normal kernels (a normal of variance 2 / fan-in, cut off at two deviations and widened
// so that the variance stays, as Keras's he_normal), zero biases, batch-norm as the identity (before epsilon), but for the
// last of each block: with the identity there too, each block adds twice the signal it gets to what goes around it, and a
// trunk that stays frozen gives features in the thousands.
import { RESNET50, type Architecture, type LayerVariable, type VariantName } from '../resnet50/index.ts';
import { networkVariables, type TrunkWeights, type WeightTensor } from './trunk-weights.ts';

/** Which random weights. */
export interface RandomWeightsOptions {
  /** Same seed, same weights. */
  seed: number;
  /** Default torchvision: its preprocessing scales the input to unit variance. */
  variant?: VariantName;
  /** Default RESNET50. */
  architecture?: Architecture;
}

/** Weights to train from nothing: He-normal kernels, batch-norms as the identity. @throws where the seed is no whole number */
export function randomWeights(options: RandomWeightsOptions): TrunkWeights {
  const { seed, variant = 'torchvision', architecture = RESNET50 } = options;
  if (!Number.isSafeInteger(seed)) throw new Error(`randomWeights: the seed must be a whole number, got ${seed}.`);
  const uniform = uniformNumbers(seed);
  const tensors = new Map<string, WeightTensor>();
  for (const variable of networkVariables(variant, false, 0, architecture)) {
    tensors.set(variable.name, { shape: [...variable.shape], data: initialValues(variable, uniform) });
  }
  const tiny = options.architecture ? { architecture: options.architecture } : {};
  return { variant, includeTop: false, topClasses: 0, tensors, hash: `random-${variant}-${seed}`, ...tiny };
}

/** Scale of what a block adds: twelve blocks without a shortcut convolution then grow the signal's variance fourfold. */
const BRANCH_SCALE = 0.25;

function initialValues({ name, shape }: LayerVariable, uniform: () => number): Float32Array {
  const size = shape.reduce((a, b) => a * b, 1);
  if (/_3_bn\/gamma$/.test(name)) return new Float32Array(size).fill(BRANCH_SCALE);
  if (!name.endsWith('/kernel')) return new Float32Array(size).fill(/(gamma|moving_variance)$/.test(name) ? 1 : 0);
  const fanIn = size / (shape.at(-1) ?? 1);
  // A standard normal cut off at two deviations has this deviation.
  const CUT_DEVIATION = 0.87962566103423978;
  const deviation = Math.sqrt(2 / fanIn) / CUT_DEVIATION;
  return Float32Array.from({ length: size }, () => deviation * cutNormal(uniform));
}

/** A standard normal value of at most two deviations: Marsaglia's polar method, and again if it is too large. */
function cutNormal(uniform: () => number): number {
  for (;;) {
    const x = 2 * uniform() - 1;
    const y = 2 * uniform() - 1;
    const square = x * x + y * y;
    if (square === 0 || square >= 1) continue;
    const value = x * Math.sqrt((-2 * Math.log(square)) / square);
    if (Math.abs(value) <= 2) return value;
  }
}

/** Numbers in [0, 1): splitmix32, whole-number arithmetic only. */
export function uniformNumbers(seed: number): () => number {
  let state = (seed ^ Math.floor(seed / 2 ** 32)) >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}
