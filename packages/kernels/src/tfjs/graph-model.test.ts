// Graph models of tfjs-converter on thaw and on tfjs-cpu: convolutions, fused ones, batch-norm, and control flow of both kinds.
import * as tf from '@tensorflow/tfjs-core';
import { loadGraphModel } from '@tensorflow/tfjs-converter';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { backend } from '../testing/against-cpu.ts';
import { elements } from '../testing/arbitrary.ts';
import { expectClose, random, sumBound } from '../testing/compare.ts';
import { attr, graphFunction, graphModel, node } from './graph.ts';

const SHAPE = [2, 8, 8, 3] as const;
const weight = (shape: number[], seed: number, map = (v: number) => v) => ({
  shape,
  values: random(elements(shape), seed).map(map),
});
const scalar = (value: number) => ({ shape: [], values: Int32Array.of(value) });

const placeholder = node('x', 'Placeholder', [], {
  dtype: attr.type('DT_FLOAT'),
  shape: attr.shape(-1, 8, 8, 3),
});
const windows = {
  strides: attr.ints(1, 1, 1, 1),
  padding: attr.text('SAME'),
  data_format: attr.text('NHWC'),
  dilations: attr.ints(1, 1, 1, 1),
};
const by2 = { ...windows, strides: attr.ints(1, 2, 2, 1) };

/** conv, batch-norm, ReLU, max-pool, fused conv, fused depthwise conv, mean, matrix product, softmax. */
const trunk = [
  placeholder,
  node('conv', 'Conv2D', ['x', 'w1'], windows),
  node('norm', 'FusedBatchNormV3', ['conv', 'gamma', 'beta', 'mean', 'variance'], {
    epsilon: attr.float(1e-3),
    is_training: attr.flag(false),
    data_format: attr.text('NHWC'),
  }),
  node('relu', 'Relu', ['norm']),
  node('pool', 'MaxPool', ['relu'], { ...by2, ksize: attr.ints(1, 2, 2, 1) }),
  node('fused', '_FusedConv2D', ['pool', 'w2', 'b2'], {
    ...by2,
    num_args: attr.int(1),
    epsilon: attr.float(0),
    fused_ops: attr.texts('BiasAdd', 'Relu6'),
  }),
  node('depthwise', 'FusedDepthwiseConv2dNative', ['fused', 'w3', 'b3'], {
    ...windows,
    num_args: attr.int(1),
    fused_ops: attr.texts('BiasAdd', 'Relu'),
  }),
  node('features', 'Mean', ['depthwise', 'axes'], { keep_dims: attr.flag(false) }),
  node('product', 'MatMul', ['features', 'w4'], { transpose_a: attr.flag(false), transpose_b: attr.flag(false) }),
  node('y', 'Softmax', ['product']),
];
const weights = {
  w1: weight([3, 3, 3, 4], 1),
  gamma: weight([4], 2),
  beta: weight([4], 3),
  mean: weight([4], 4),
  variance: weight([4], 5, (v) => 1.5 + v),
  w2: weight([3, 3, 4, 6], 6),
  b2: weight([6], 7),
  w3: weight([3, 3, 6, 1], 8),
  b3: weight([6], 9),
  axes: { shape: [2], values: Int32Array.of(1, 2) },
  w4: weight([6, 5], 10),
};

/** x doubled or negated, by the sign of its mean: by Switch and Merge, and by StatelessIf. */
const branches = [
  placeholder,
  node('average', 'Mean', ['x', 'allAxes'], { keep_dims: attr.flag(false) }),
  node('isPositive', 'Greater', ['average', 'zero']),
  node('switch', 'Switch', ['x', 'isPositive']),
  node('negated', 'Neg', ['switch']),
  node('doubled', 'AddV2', ['switch:1', 'switch:1']),
  node('merged', 'Merge', ['negated', 'doubled']),
  node('chosen', 'StatelessIf', ['isPositive', 'x'], {
    then_branch: attr.func('double'),
    else_branch: attr.func('negate'),
    Tcond: attr.type('DT_BOOL'),
  }),
];
const branchFunctions = [
  graphFunction('double', { a: 'DT_FLOAT' }, { sum: 'DT_FLOAT' }, [node('sum', 'AddV2', ['a', 'a'])]),
  graphFunction('negate', { a: 'DT_FLOAT' }, { minus: 'DT_FLOAT' }, [node('minus', 'Neg', ['a'])]),
];
const branchWeights = {
  allAxes: { shape: [4], values: Int32Array.of(0, 1, 2, 3) },
  zero: { shape: [], values: Float32Array.of(0) },
};

/** x^2 - x / 2, three times over. */
const loop = [
  placeholder,
  node('loop', 'StatelessWhile', ['start', 'x'], { cond: attr.func('isBelow'), body: attr.func('step') }),
  node('end', 'Identity', ['loop:1']),
];
const loopFunctions = [
  graphFunction('isBelow', { i: 'DT_INT32', a: 'DT_FLOAT' }, { less: 'DT_BOOL' }, [
    node('limit', 'Const', [], { dtype: attr.type('DT_INT32') }),
    node('less', 'Less', ['i', 'limit']),
  ]),
  graphFunction('step', { i: 'DT_INT32', a: 'DT_FLOAT' }, { next: 'DT_INT32', difference: 'DT_FLOAT' }, [
    node('one', 'Const', [], { dtype: attr.type('DT_INT32') }),
    node('half', 'Const', [], { dtype: attr.type('DT_FLOAT') }),
    node('next', 'AddV2', ['i', 'one']),
    node('square', 'Mul', ['a', 'a']),
    node('part', 'Mul', ['a', 'half']),
    node('difference', 'Sub', ['square', 'part']),
  ]),
];
const loopWeights = { start: scalar(0), limit: scalar(3), one: scalar(1), half: { shape: [], values: Float32Array.of(0.5) } }; // prettier-ignore

beforeEach(() => tf.setBackend('thaw'));
afterEach(async () => {
  await tf.setBackend('thaw');
});

interface Run {
  readonly artifacts: tf.io.ModelArtifacts;
  readonly outputs: string[];
  readonly input: Float32Array;
}

/** Outputs of executeAsync, and of execute where the graph has no control flow. */
async function run(name: string, { artifacts, outputs, input }: Run, how: 'execute' | 'executeAsync') {
  await tf.setBackend(name);
  const before = { tensors: tf.memory().numTensors, bytes: backend.memoryReport().usedBytes };
  const model = await loadGraphModel(tf.io.fromMemory(artifacts));
  const x = tf.tensor4d(input, [...SHAPE]);
  const made = [await model[how]({ x }, outputs)].flat();
  const results = await Promise.all(made.map(async (y) => ({ shape: y.shape, values: [...(await y.data())] })));
  tf.dispose([x, ...made]);
  model.dispose();
  expect({ tensors: tf.memory().numTensors, bytes: backend.memoryReport().usedBytes }).toEqual(before);
  return results;
}

async function expectLikeCpu(one: Run, how: 'execute' | 'executeAsync', bound: number): Promise<number[][]> {
  const want = await run('cpu', one, how);
  const got = await run('thaw', one, how);
  expect(got.map(({ shape }) => shape)).toEqual(want.map(({ shape }) => shape));
  want.forEach(({ values }, i) => expectClose(got[i]?.values ?? [], values, bound));
  return got.map(({ values }) => values);
}

const input = random(elements([...SHAPE]), 20);
/** The longest sum, of nine times four products, behind a ReLU of at most 6. */
const TRUNK_BOUND = 6 * sumBound(36);

test.each(['execute', 'executeAsync'] as const)('a network by %s', async (how) => {
  const model = graphModel(trunk, weights);
  await expectLikeCpu({ artifacts: model, outputs: ['y', 'fused', 'pool'], input }, how, TRUNK_BOUND);
});

test.each([
  ['positive', 1, 2],
  ['negative', -1, -1],
])('Switch, Merge and StatelessIf where the mean is %s', async (_, sign, factor) => {
  const moved = input.map((v) => v + 2 * sign);
  const artifacts = graphModel(branches, branchWeights, branchFunctions);
  const [merged, chosen] = await expectLikeCpu(
    { artifacts, outputs: ['merged', 'chosen'], input: moved },
    'executeAsync',
    0,
  );
  const want = [...moved.map((v) => factor * v)];
  expect(merged).toEqual(want);
  expect(chosen).toEqual(want);
});

test('StatelessWhile', async () => {
  const artifacts = graphModel(loop, loopWeights, loopFunctions);
  const [end] = await expectLikeCpu({ artifacts, outputs: ['end'], input }, 'executeAsync', sumBound(6));
  expectClose(
    end!,
    input.map((v) => [1, 2, 3].reduce((a) => a * a - a / 2, v)),
    sumBound(6),
  );
});
