// Every .wgsl file of the package, found by looking: it says what it computes and compiles with its defaults.
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { PipelineCache } from '../runtime/pipelines.ts';
import { gpu } from '../testing/device.ts';
import { openNullDevice } from '../testing/null-device.ts';
import { readShader } from './shader.ts';
import { readWidths } from './widen.ts';

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

// Shaders that need what the device at hand lacks are compiled for one that has every feature and computes nothing.
const everything = new PipelineCache(await openNullDevice());

describe.each(files)('%s', (file) => {
  const { source, shader } = read(file);
  const needed = [...source.matchAll(/^enable (\w+);/gm)].map(([, feature = '']) =>
    feature.replace('f16', 'shader-f16').replaceAll('_', '-'),
  );
  const isHere = needed.every((feature) => gpu.device.features.has(feature));

  test('opens with a comment, and every binding was understood', () => {
    expect(source).toMatch(/^\/\/ \S/);
    expect(shader.bindings.map(({ index }) => index)).toEqual(shader.bindings.map((_, i) => i));
    expect(shader.bindings).toHaveLength(source.match(/@binding/g)?.length ?? 0);
    expect(shader.params.length > 0).toBe(shader.bindings.some(({ type }) => type === 'uniform'));
  });

  const widths = /@wide$/m.test(source)
    ? Object.entries(readWidths(shader.name, source))
    : [['as it lies', shader] as const];
  test.each(shader.precisions.flatMap((precision) => widths.map(([width, one]) => [precision, width, one] as const)))(
    `compiles with its defaults, stored in %s, %s${isHere ? '' : ', for a device with every feature'}`,
    async (precision, _, shader) => {
      const plan = { shader, tuning: shader.tunables, constants: {}, params: {}, workgroups: [1, 1, 1], outputs: {}, precision } as const; // prettier-ignore
      const hasHalf = gpu.device.features.has('shader-f16');
      const pipeline = (isHere && (hasHalf || precision === 'float32') ? gpu.pipelines : everything).get(plan);
      await pipeline.ready;
      expect(pipeline.compiled).toBeDefined();
    },
  );
});
