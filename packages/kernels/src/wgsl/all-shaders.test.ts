// Every .wgsl file of the package, found by looking: it says what it computes and compiles with its defaults.
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { gpu } from '../testing/device.ts';
import { readShader, type Precision } from './shader.ts';

const folder = fileURLToPath(new URL('../', import.meta.url));
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.wgsl'));
const read = (file: string) => {
  const source = readFileSync(join(folder, file), 'utf8');
  return { source, shader: readShader(basename(file, '.wgsl'), source) };
};

test('names are unique: pipelines and error messages go by them', () => {
  expect(files.length).toBeGreaterThan(20);
  expect(new Set(files.map((file) => basename(file))).size).toBe(files.length);
});

describe.each(files)('%s', (file) => {
  const { source, shader } = read(file);
  const needed = [...source.matchAll(/^enable (\w+);/gm)].map(([, feature = '']) =>
    feature.replace('f16', 'shader-f16'),
  );
  const missing = needed.filter((feature) => !gpu.device.features.has(feature));
  const precisions: Precision[] = shader.bindings.some(({ element }) => element === 'stored')
    ? ['float32', 'float16']
    : ['float32'];

  test('opens with a comment, and every binding was understood', () => {
    expect(source).toMatch(/^\/\/ \S/);
    expect(shader.bindings.map(({ index }) => index)).toEqual(shader.bindings.map((_, i) => i));
    expect(shader.bindings).toHaveLength(source.match(/@binding/g)?.length ?? 0);
    expect(shader.params.length > 0).toBe(shader.bindings.some(({ type }) => type === 'uniform'));
  });

  const absent = (precision: Precision) =>
    precision === 'float16' && !gpu.device.features.has('shader-f16') ? [...missing, 'shader-f16'] : missing;
  for (const precision of precisions)
    test.skipIf(absent(precision).length > 0)(
      `compiles with its defaults in ${precision}${absent(precision).length > 0 ? ` (this device has no ${absent(precision).join(', ')})` : ''}`,
      async () => {
        const plan = {
          shader,
          tuning: shader.tunables,
          constants: {},
          params: {},
          precision,
          workgroups: [1, 1, 1],
          outputs: {},
        } as const;
        const pipeline = gpu.pipelines.get(plan);
        await pipeline.ready;
        expect(pipeline.compiled).toBeDefined();
      },
    );
});
