// Every .wgsl file of the package, found by looking: it says what it computes and compiles with its defaults.
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { PipelineCache } from '../runtime/pipelines.ts';
import { gpu } from '../testing/device.ts';
import { openNullDevice } from '../testing/null-device.ts';
import { readShader, type Precision, type Shader } from './shader.ts';
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

  const { narrow, wide } = readWidths(shader.name, source);
  const widths: [string, Shader][] = /@wide$/m.test(source) ? [['one by one', narrow], ['in fours', wide]] : [['as it lies', shader]]; // prettier-ignore
  const compiled = shader.precisions.flatMap((precision) =>
    widths.map(([width, one]): [Precision, string, Shader] => [precision, width, one]),
  );
  test.each(compiled)(
    `compiles with its defaults, stored in %s, %s${isHere ? '' : ', for a device with every feature'}`,
    async (precision, _, one) => {
      const plan = { shader: one, tuning: one.tunables, constants: {}, params: {}, workgroups: [1, 1, 1], outputs: {}, precision } as const; // prettier-ignore
      const hasHalf = gpu.device.features.has('shader-f16');
      const pipeline = (isHere && (hasHalf || precision === 'float32') ? gpu.pipelines : everything).get(plan);
      await pipeline.ready;
      expect(pipeline.compiled).toBeDefined();
    },
  );
});
