// What becomes of a shader's types when a thread computes four numbers.
import { expect, test } from 'vitest';
import { readWidths } from './widen.ts';

const source = `// y = x
alias Stored = f32; // @stored
alias Real = f32;   // @wide
alias Tap = u32;    // @wide
alias Other = f32;
@group(0) @binding(0) var<storage, read> x: array<Stored>;
@group(0) @binding(1) var<storage, read> scale: array<Real>;
@group(0) @binding(2) var<storage, read_write> taps: array<Tap>;
@group(0) @binding(3) var<storage, read> other: array<Other>;
`;

test('stored and wide types become vectors, others stay; bindings hold what they held, in longer strides', () => {
  const { narrow, wide } = readWidths('copy', source);
  expect([narrow.name, wide.name]).toEqual(['copy', 'copy-wide']);
  expect(narrow.source).toBe(source);
  expect(wide.source.match(/^alias .*$/gm)).toEqual([
    'alias Stored = vec4f; // @stored',
    'alias Real = vec4f;   // @wide',
    'alias Tap = vec4u;    // @wide',
    'alias Other = f32;',
  ]);
  const elements = ['stored', 'f32', 'u32'];
  expect(narrow.bindings.slice(0, 3).map(({ element }) => element)).toEqual(elements);
  expect(wide.bindings.slice(0, 3).map(({ element }) => element)).toEqual(elements);
  expect(narrow.bindings.map(({ stride }) => stride)).toEqual([4, 4, 4, 4]);
  expect(wide.bindings.map(({ stride }) => stride)).toEqual([16, 16, 16, 4]);
  expect(wide.precisions).toEqual(['float32', 'float16']);
});
