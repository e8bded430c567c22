// NaN, infinities, negative zero, numbers near the ends of float32 and integers that overflow, through every elementwise
// function: what tfjs-cpu makes of them, signs of zeros included. Results that are denormal may be zero: WGSL lets a device
// flush them (docs/conformance.md).
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import '../testing/against-cpu.ts';

const SPECIAL = [NaN, Infinity, -Infinity, 0, -0, 1, -1, 0.5, -0.5, 1.5, -2.5, 2, 3, -3, 1e-4, -1e-4, 1e-30, 20, -20, 88, 1e4, -12345.678, 1e10, 1e30, 3.4e38, -3.4e38]; // prettier-ignore
/** The least that is no denormal. */
const LEAST = 2 ** -126;

async function on(name: string, f: () => tf.Tensor): Promise<{ values: number[]; dtype: string }> {
  await tf.setBackend(name);
  const y = tf.tidy(f);
  const values = [...(await y.data())];
  y.dispose();
  return { values, dtype: y.dtype };
}

const isSame = (got: number, want: number, ulps: number): boolean =>
  want === 0 || !Number.isFinite(want)
    ? Object.is(got, want) || (want === 0 && ulps > 0 && Math.abs(got) < LEAST)
    : Math.abs(got - want) <= ulps * 2 ** -24 * Math.abs(want) + LEAST;

/** @param ulps how far a finite result other than zero may be off, in roundings @param bound and how far in any case */
async function expectSpecial(
  f: () => tf.Tensor,
  ulps: number,
  describe: (i: number) => string,
  bound = 0,
): Promise<void> {
  const want = await on('cpu', f);
  const got = await on('thaw', f);
  const wrong = want.values.flatMap((value, i) => {
    const found = got.values[i] ?? NaN;
    return isSame(found, value, ulps) || Math.abs(found - value) < bound ? [] : `${describe(i)} gives ${Object.is(found, -0) ? '-0' : found}, not ${Object.is(value, -0) ? '-0' : value}`; // prettier-ignore
  });
  expect(wrong).toEqual([]);
  expect(got.dtype).toBe(want.dtype);
}

// Bounds: exact; a correctly rounded operation or two; polynomials, whose last steps cancel in places.
const unary: Record<string, [(x: tf.Tensor) => tf.Tensor, number]> = {
  relu: [tf.relu, 0], relu6: [tf.relu6, 0], neg: [tf.neg, 0], abs: [tf.abs, 0], sign: [tf.sign, 0], floor: [tf.floor, 0],
  ceil: [tf.ceil, 0], round: [tf.round, 0], isNaN: [tf.isNaN, 0], isInf: [tf.isInf, 0], isFinite: [tf.isFinite, 0],
  clip: [(x) => tf.clipByValue(x, -2, 2), 0], step: [(x) => tf.step(x, 0.5), 0], leakyRelu: [(x) => tf.leakyRelu(x, 0.3), 4],
  square: [tf.square, 2], sqrt: [tf.sqrt, 4], rsqrt: [tf.rsqrt, 8], reciprocal: [tf.reciprocal, 4], exp: [tf.exp, 8],
  expm1: [tf.expm1, 16], log: [tf.log, 8], log1p: [tf.log1p, 16], sigmoid: [tf.sigmoid, 16], softplus: [tf.softplus, 64],
  elu: [tf.elu, 16], selu: [tf.selu, 16], sin: [tf.sin, 16], cos: [tf.cos, 16], tan: [tf.tan, 16], asin: [tf.asin, 16],
  acos: [tf.acos, 16], atan: [tf.atan, 16], sinh: [tf.sinh, 16], cosh: [tf.cosh, 16], tanh: [tf.tanh, 16],
  asinh: [tf.asinh, 16], acosh: [tf.acosh, 16], atanh: [tf.atanh, 16],
}; // prettier-ignore
test.each(Object.entries(unary))(
  '%s',
  (name, [f, ulps]) =>
  expectSpecial(() => f(tf.tensor1d(SPECIAL)), ulps, (i) => `${name}(${SPECIAL[i]})`), // prettier-ignore
);

test('erf, which tfjs-cpu knows to 1.5e-7', () =>
  expectSpecial(() => tf.erf(tf.tensor1d(SPECIAL)), 4, (i) => `erf(${SPECIAL[i]})`, 2e-7)); // prettier-ignore

const grid = SPECIAL.length;
const operands = (i: number): string => `(${SPECIAL[Math.floor(i / grid)]}, ${SPECIAL[i % grid]})`;
const binary: Record<string, [(a: tf.Tensor, b: tf.Tensor) => tf.Tensor, number]> = {
  add: [tf.add, 1], sub: [tf.sub, 1], mul: [tf.mul, 1], div: [tf.div, 4], maximum: [tf.maximum, 0], minimum: [tf.minimum, 0],
  squaredDifference: [tf.squaredDifference, 4], pow: [tf.pow, 512], mod: [tf.mod, 4], atan2: [tf.atan2, 16],
  prelu: [tf.prelu, 1], equal: [tf.equal, 0], notEqual: [tf.notEqual, 0], less: [tf.less, 0], lessEqual: [tf.lessEqual, 0],
  greater: [tf.greater, 0], greaterEqual: [tf.greaterEqual, 0],
}; // prettier-ignore
test.each(Object.entries(binary))(
  '%s',
  (name, [f, ulps]) =>
  expectSpecial(() => f(tf.tensor2d(SPECIAL, [grid, 1]), tf.tensor2d(SPECIAL, [1, grid])), ulps, (i) => `${name}${operands(i)}`), // prettier-ignore
);

test('casts to int32 wrap modulo 2^32, as JavaScript has it', () => {
  const large = [...SPECIAL, 2 ** 31, -(2 ** 31), 2 ** 32 + 2 ** 10, -3e9, 4e9, 1e12];
  return expectSpecial(() => tf.cast(tf.tensor1d(large), 'int32'), 0, (i) => `int32(${large[i]})`); // prettier-ignore
});
test('casts to bool', () =>
  expectSpecial(
    () => tf.cast(tf.tensor1d(SPECIAL), 'bool'),
    0,
    (i) => `bool(${SPECIAL[i]})`,
  ));

test('integers that overflow wrap modulo 2^32, and dividing by zero gives 0', async () => {
  const edge = [2 ** 31 - 1, -(2 ** 31), -1, 0, 1, 7, -7, 65_537];
  const x = (): tf.Tensor => tf.tensor2d(edge, [edge.length, 1], 'int32');
  const y = (): tf.Tensor => tf.tensor2d(edge, [1, edge.length], 'int32');
  const pair = (i: number): string => `(${edge[Math.floor(i / edge.length)]}, ${edge[i % edge.length]})`;
  const functions = {
    add: tf.add,
    sub: tf.sub,
    floorDiv: tf.floorDiv,
    mod: tf.mod,
    maximum: tf.maximum,
    less: tf.less,
  };
  for (const [name, f] of Object.entries(functions))
    await expectSpecial(
      () => f(x(), y()),
      0,
      (i) => name + pair(i),
    );
  // Which takes operands of one shape only.
  const both = () => tf.bitwiseAnd(tf.add(x(), tf.zerosLike(y())), tf.add(y(), tf.zerosLike(x())));
  await expectSpecial(both, 0, (i) => `bitwiseAnd${pair(i)}`);
  // Beyond 2^53 tfjs-cpu's products are rounded before they wrap; these are all of their low 32 bits.
  const products = await on('thaw', () => tf.mul(x(), y()));
  expect(products.values).toEqual(edge.flatMap((a) => edge.map((b) => Math.imul(a, b))));
});

test('a maximum and a minimum of numbers and a NaN are NaN, an index of either is that of a number', async () => {
  const rows = [[1, NaN, 3], [NaN, 2, 1], [NaN, NaN, NaN], [-Infinity, NaN, -Infinity]]; // prettier-ignore
  const functions: [string, (x: tf.Tensor, axis: number) => tf.Tensor][] = [
    ...Object.entries({ max: tf.max, min: tf.min, sum: tf.sum, prod: tf.prod }),
    ...Object.entries({ argMax: tf.argMax, argMin: tf.argMin }),
  ];
  for (const [name, f] of functions)
    await expectSpecial(
      () => f(tf.tensor2d(rows), 1),
      0,
      (i) => `${name}(${String(rows[i])})`,
    );
});
