// Loops written out: which, how often, and that the shaders compute the same.
import { expect, test } from 'vitest';
import matrices from '../kernels/conv2d/conv2d-matrix.wgsl?raw';
import convolution from '../kernels/conv2d/conv2d.wgsl?raw';
import { evaluate, unroll } from './unroll.ts';

test('constant expressions', () => {
  const constants = new Map([['TM', 8], ['LANES', 4]]); // prettier-ignore
  expect(evaluate('TM / LANES', constants)).toBe(2);
  expect(evaluate('(TM * 3u + LANES - 1u) / LANES', constants)).toBe(6);
  expect(evaluate('2u + 3u * TM % 5u', constants)).toBe(6);
  for (const text of ['params.kH', 'TM - OTHER', 'TM / (LANES', 'min(TM, 4u)']) expect(evaluate(text, constants)).toBeUndefined(); // prettier-ignore
});

const plain = (code: string) => unroll(code).replace(/\s+/g, ' ').trim();

test('a loop over an array of the function, and one inside it', () => {
  const code = `const TM: u32 = 2u; // @tune
const SIZE = TM * 2u;
fn f() {
  var acc: array<f32, SIZE>;
  for (var i = 0u; i < TM; i++) {
    let a = x[i];
    for (var j = 0u; j < 2u; j++) { acc[i * 2u + j] += a; }
  }
}`;
  const inner = '{ const j = 0u; acc[i * 2u + j] += a; } { const j = 1u; acc[i * 2u + j] += a; }';
  expect(plain(code)).toBe(
    'const TM: u32 = 2u; const SIZE = TM * 2u; fn f() { var acc: array<f32, SIZE>; ' +
      `{ const i = 0u; let a = x[i]; ${inner} } { const i = 1u; let a = x[i]; ${inner} } }`,
  );
});

test.each([
  ['a bound that is no constant', 'for (var i = 0u; i < params.n; i++) { acc[i] = 1.0; }'],
  ['a body that branches', 'for (var i = 0u; i < 4u; i++) { let hit = x > 0 && y > 0; acc[i] = f32(hit); }'],
  ['a loop that may end early', 'for (var i = 0u; i < 4u; i++) { if (i > n) { break; } acc[i] = 1.0; }'],
  ['an array in memory', 'for (var i = 0u; i < 4u; i++) { y[i] = 1.0; }'],
  ['an index of another loop', 'for (var i = 0u; i < 4u; i++) { y[i] = acc[n]; }'],
])('stays: %s', (_, loop) => {
  const code = `fn f() {\n  var acc: array<f32, 4>;\n  ${loop}\n}`;
  expect(plain(code)).toBe(code.replace(/\s+/g, ' '));
});

test('of a convolution the loops over filter and channels are left, and those of rows that branch', () => {
  const left = [...unroll(convolution).matchAll(/for \(var (\w+)/g)].map(([, name]) => name);
  // Which taps lie inside the image; and rows and columns are stored in the last two, which end early at the edges.
  expect(left).toEqual(['ky', 'kx', 'i', 'ci', 'i', 'j']);
});

test('of a convolution on matrix units no array is indexed by a variable, also as the build writes shaders, without indentation', () => {
  const code = unroll(matrices, { branches: true });
  // Steps of the depth, and of each of two units along the rows what is stored from workgroup memory: no arrays of registers.
  expect([...code.matchAll(/for \(var (\w+)/g)].map(([, name]) => name)).toEqual(['k', 'l', 'l']);
  const lean = matrices.replace(/^ +/gm, '');
  expect(unroll(lean, { branches: true }).replace(/\s+/g, ' ')).toBe(code.replace(/\s+/g, ' '));
});
