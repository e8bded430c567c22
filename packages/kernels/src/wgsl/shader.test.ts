// A .wgsl file read as data, on a file that has everything in an awkward order.
import { expect, test } from 'vitest';
import { packParams, paramsSize, readShader, specialise } from './shader.ts';

const SOURCE = `// y = a x + b. A comment may hold @group(0) @binding(9) var<storage, read> ghost: array<f32>;
const TILE: u32 = 4u; // @tune
const THREADS: u32 = 64u;   //@tune
const FIXED: u32 = 7u; // not tuned
override RELU: bool = false;
override OP : u32 = 2u;

struct Params {
  size: u32, // elements, all of them
  offset: i32,
  scale: f32, shift: f32,
  count: u32,
}

@group(0) @binding(3) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<u32>>;
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0)
@binding(1) var<storage, read> bias: array<vec4f>;
`;
const shader = readShader('example', SOURCE);

test('bindings are read by index, with their kind and the stride of their elements; comments are not', () => {
  expect(shader.bindings).toEqual([
    { name: 'x', index: 0, type: 'read', stride: 4, element: 'f32' },
    { name: 'bias', index: 1, type: 'read', stride: 16, element: 'f32' },
    { name: 'y', index: 2, type: 'read_write', stride: 16, element: 'u32' },
    { name: 'params', index: 3, type: 'uniform', stride: 0, element: undefined },
  ]);
});

test('Params in the order of the file, tunables with their defaults, overrides', () => {
  expect(shader.params).toEqual([
    { name: 'size', type: 'u32' },
    { name: 'offset', type: 'i32' },
    { name: 'scale', type: 'f32' },
    { name: 'shift', type: 'f32' },
    { name: 'count', type: 'u32' },
  ]);
  expect(shader.tunables).toEqual({ TILE: 4, THREADS: 64 });
  expect(shader.overrides).toEqual(['RELU', 'OP']);
});

test('a file without Params has none, and its uniform block would take 16 bytes', () => {
  const none = readShader('none', '// nothing\n');
  expect(none).toMatchObject({ bindings: [], params: [], tunables: {}, overrides: [] });
  expect(paramsSize(none)).toBe(16);
});

test.each(['shape: vec4<u32>', 'flags: array<u32', 'half: f16'])(
  'a field that is no number is refused: %s',
  (field) => {
    expect(() => readShader('bad', `struct Params { size: u32, ${field} }`)).toThrow(
      `bad.wgsl: Params may hold only u32, i32 and f32 fields, found '${field}'`,
    );
  },
);

test('values are packed by name, whatever their order, little-endian, rounded up to 16 bytes', () => {
  const bytes = packParams(shader, { count: 2 ** 32 - 1, shift: -0.5, scale: 1.5, offset: -3, size: 70_000 });
  expect(bytes.byteLength).toBe(32);
  expect(paramsSize(shader)).toBe(32);
  // 70000 = 0x00011170, -3 in two's complement, 1.5 = 0x3fc00000, -0.5 = 0xbf000000.
  expect([...new Uint8Array(bytes, 0, 20)]).toEqual([
    0x70, 0x11, 0x01, 0x00, 0xfd, 0xff, 0xff, 0xff, 0x00, 0x00, 0xc0, 0x3f, 0x00, 0x00, 0x00, 0xbf, 0xff, 0xff, 0xff, 0xff,
  ]); // prettier-ignore
});

test('a missing and a surplus value are named', () => {
  const values = { size: 1, offset: 2, scale: 3, shift: 4, count: 5 };
  expect(() => packParams(shader, { size: 1, offset: 2, scale: 3, shift: 4 })).toThrow(
    'example.wgsl: Params.count was not given',
  );
  expect(() => packParams(shader, { ...values, width: 6 })).toThrow("example.wgsl: Params has no field 'width'");
});

test('tunables are rewritten by name and nothing else changes', () => {
  const code = specialise(shader, { THREADS: 128, TILE: 8 });
  expect(code).toContain(
    'const TILE: u32 = 8u; // @tune\nconst THREADS: u32 = 128u;   //@tune\nconst FIXED: u32 = 7u;',
  );
  expect(specialise(shader, {})).toBe(SOURCE);
  expect(specialise(shader, shader.tunables)).toBe(SOURCE);
});

test.each(['FIXED', 'RELU', 'TIL'])('%s is not tunable, and the error says what is', (name) => {
  expect(() => specialise(shader, { [name]: 1 })).toThrow(
    `example.wgsl has no tunable '${name}' (it has TILE, THREADS)`,
  );
});

const STORED = readShader(
  'stored',
  `alias Stored = f32; // @stored
alias Stored4 = vec4f;   //@stored
alias Sum = f32; // what sums are made in
@group(0) @binding(0) var<storage, read> x: array<Stored>;
@group(0) @binding(1) var<storage, read> w: array<Stored4>;
@group(0) @binding(2) var<storage, read> bias: array<Sum>;
`,
);

test('types that tensors are stored in are known at the bindings, and become halves where that is asked for', () => {
  expect(STORED.bindings.map(({ element, stride }) => [element, stride])).toEqual([
    ['stored', 4],
    ['stored', 16],
    [undefined, 4],
  ]);
  expect(specialise(STORED, {})).toBe(STORED.source);
  const half = specialise(STORED, {}, 'float16');
  expect(half).toMatch(
    /^enable f16;\nalias Stored = f16; \/\/ @stored\nalias Stored4 = vec4h; {3}\/\/@stored\nalias Sum = f32;/,
  );
  expect(() => specialise(shader, {}, 'float16')).toThrow('example.wgsl has no type to store in float16');
  expect([shader, STORED].map(({ precisions }) => precisions)).toEqual([['float32'], ['float32', 'float16']]);
});

test('eight halves in a vector of whole numbers are stored in float16 alone', () => {
  const packed = readShader(
    'packed',
    'alias Stored8 = vec4u; // @stored float16\n@group(0) @binding(0) var<storage, read> x: array<Stored8>;\n',
  );
  expect(packed.bindings).toEqual([{ name: 'x', index: 0, type: 'read', stride: 16, element: 'stored' }]);
  expect(specialise(packed, {}, 'float16')).toBe(`enable f16;\n${packed.source}`);
  expect(() => specialise(packed, {})).toThrow('packed.wgsl stores in float16 alone');
});
