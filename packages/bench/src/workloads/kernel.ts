// One kernel in whichever engine is given, through TensorFlow.js: the same inputs, the same call.
import { adamRates, adamStep, batchNormTrain, conv2d, dense, toFloat16 } from '@thaw/kernels';
import type { Precision } from '@thaw/kernels/tuning';
import { uniformNumbers } from '@thaw/model';
import * as tf from '@tensorflow/tfjs-core';
import type { Engine } from '../engines/engine.ts';
import type { KernelWork } from './kernel-cases.ts';
import { timeRepetitions } from './repeat.ts';
import type { Workload } from './workload.ts';

export interface KernelSpec {
  readonly kind: 'kernel';
  readonly work: KernelWork;
  readonly seed: number;
  /** In which Thaw stores activations and filters; other engines get the same numbers in float32. Default float32. */
  readonly precision?: Precision;
}

/** The kernel's call on its inputs, which `dispose` frees. The engine must be the current one. */
export function kernelOperation({ work, seed, precision = 'float32' }: Omit<KernelSpec, 'kind'>): {
  run: () => Record<string, tf.Tensor>;
  dispose: () => void;
} {
  const uniform = uniformNumbers(seed);
  const inputs: tf.Tensor[] = [];
  const tensorOf = <R extends tf.Rank>(shape: tf.ShapeMap[R], value: () => number): tf.Tensor<R> => {
    const length = shape.reduce((product, size) => product * size, 1);
    const tensor = tf.tensor<R>(Float32Array.from({ length }, value), shape);
    inputs.push(tensor);
    return tensor;
  };
  const random: Random = (shape, offset = 0) => tensorOf(shape, () => 2 * uniform() - 1 + offset);
  // Multiples of 2^-10, which float16 holds: every engine computes with the same numbers.
  const halves: Random = (shape) => {
    const wide = tensorOf(shape, () => Math.round(2048 * uniform() - 1024) / 1024);
    if (tf.getBackend() !== 'thaw') return wide;
    const half = toFloat16(wide);
    inputs.push(half);
    return half;
  };
  const stored = precision === 'float16' ? halves : random;
  return { run: operation(work, random, stored), dispose: () => tf.dispose(inputs) };
}

export async function kernelWorkload(engine: Engine, spec: KernelSpec): Promise<Workload> {
  await engine.use();
  engine.resetPeak();
  const { run, dispose } = kernelOperation(spec);
  return {
    async verify() {
      await engine.use();
      const outputs = await readAll(run());
      await engine.settle(0);
      return outputs;
    },
    async time(repetitions) {
      await engine.use();
      return timeRepetitions(engine, repetitions, () => tf.dispose(run()));
    },
    async close() {
      await engine.use();
      dispose();
      await engine.settle(0);
    },
  };
}

/** Reads tensors by name and disposes of them. */
export async function readAll(tensors: Readonly<Record<string, tf.Tensor>>): Promise<Record<string, Float32Array>> {
  const outputs: Record<string, Float32Array> = {};
  for (const [name, tensor] of Object.entries(tensors)) {
    outputs[name] = Float32Array.from(await tensor.data<'float32'>());
    tensor.dispose();
  }
  return outputs;
}

type Random = <R extends tf.Rank>(shape: tf.ShapeMap[R], offset?: number) => tf.Tensor<R>;

/** @param stored makes what mixed precision stores in float16 */
function operation(work: KernelWork, random: Random, stored: Random): () => Record<string, tf.Tensor> {
  switch (work.op) {
    case 'conv2d':
    case 'conv2d-backward-input':
    case 'conv2d-backward-filter': {
      const s = work.shape;
      const xShape: [number, number, number, number] = [s.batch, s.inH, s.inW, s.inC];
      const filterShape: [number, number, number, number] = [s.kH, s.kW, s.inC, s.outC];
      const pad: [[number, number], [number, number]] = [
        [s.padTop, s.padTop],
        [s.padLeft, s.padLeft],
      ];
      const strides: [number, number] = [s.strideH, s.strideW];
      if (work.op === 'conv2d') {
        const [x, filter] = [stored<tf.Rank.R4>(xShape), stored<tf.Rank.R4>(filterShape)];
        return () => ({ y: conv2d(x, filter, { strides, pad }) });
      }
      const dy = stored<tf.Rank.R4>([s.batch, s.outH, s.outW, s.outC]);
      const attributes = { strides, pad: [[0, 0], ...pad, [0, 0]], dataFormat: 'NHWC', dimRoundingMode: undefined };
      if (work.op === 'conv2d-backward-input') {
        const filter = stored<tf.Rank.R4>(filterShape);
        return () => ({
          dx: tf
            .engine()
            .runKernel('Conv2DBackpropInput', { dy, filter }, { ...attributes, inputShape: xShape } as never),
        });
      }
      const x = stored<tf.Rank.R4>(xShape);
      return () => ({
        dw: tf.engine().runKernel('Conv2DBackpropFilter', { x, dy }, { ...attributes, filterShape } as never),
      });
    }
    case 'batch-norm-train': {
      const [, , , channels] = work.shape;
      const [x, dy] = [stored<tf.Rank.R4>([...work.shape]), stored<tf.Rank.R4>([...work.shape])];
      const [gamma, beta] = [random<tf.Rank.R1>([channels], 2), random<tf.Rank.R1>([channels])];
      const gradients = tf.grads((...[of, scale, shift]: tf.Tensor[]) => {
        const options = { epsilon: 1e-3, relu: true };
        return batchNormTrain(of as tf.Tensor4D, scale as tf.Tensor1D, shift as tf.Tensor1D, options).y;
      });
      return () => {
        const [dx, dgamma, dbeta] = gradients([x, gamma, beta], dy);
        if (!dx || !dgamma || !dbeta) throw new Error('batch-norm gave no gradients');
        return { dx, dgamma, dbeta };
      };
    }
    case 'dense': {
      const x = random<tf.Rank.R2>([work.batch, work.inputs]);
      const [kernel, bias] = [random<tf.Rank.R2>([work.inputs, work.outputs]), random<tf.Rank.R1>([work.outputs])];
      return () => ({ y: dense(x, kernel, bias, { relu: true }) });
    }
    case 'adam': {
      const betas = { beta1: 0.9, beta2: 0.999 };
      const [value, gradient] = [random<tf.Rank.R1>([work.size]), random<tf.Rank.R1>([work.size])];
      const [m, v] = [random<tf.Rank.R1>([work.size]), random<tf.Rank.R1>([work.size], 1)];
      const rates = tf.tensor1d(adamRates({ learningRate: 1e-3, step: 10, ...betas }));
      let state: { value: tf.Tensor; m: tf.Tensor; v: tf.Tensor } = { value, m, v };
      return () => {
        const next = adamStep({ ...state, gradient, rates }, { ...betas, epsilon: 1e-7 });
        if (state.value !== value) tf.dispose([state.value, state.m, state.v]);
        state = next;
        return Object.fromEntries(Object.entries(next).map(([name, tensor]) => [name, tf.clone(tensor)]));
      };
    }
    default:
      throw new Error(`unknown kernel ${JSON.stringify(work satisfies never)}`);
  }
}
