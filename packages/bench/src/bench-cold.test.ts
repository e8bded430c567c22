// Both programs start, agree on the features, and are summed up.
import { expect, test } from 'vitest';
import { benchCold, summariseCold, type ColdStart } from './bench-cold.ts';
import { COLD_PHASES } from './cold/child.ts';
import { noAdapter } from './testing/device.ts';

test.skipIf(noAdapter)('both engines start and agree', async () => {
  const starts: ColdStart[] = [];
  const options = { imageSize: 32, batchSize: 1, seed: 1, rounds: 1, shaderCaches: true };
  const rows = await benchCold(options, (start) => starts.push(start));
  expect(starts.map(({ engine }) => engine)).toEqual(['thaw', 'tfjs-webgpu']);
  for (const { phases, pipelines, milliseconds } of starts) {
    for (const phase of COLD_PHASES) expect(phases[phase]).toBeGreaterThan(0);
    expect(milliseconds).toBeCloseTo(
      COLD_PHASES.reduce((sum, phase) => sum + phases[phase], 0),
      6,
    );
    expect(pipelines).toBeGreaterThan(1);
  }
  expect(rows).toEqual(summariseCold(starts));
});

test('medians and the share of Thaw', () => {
  const start = (engine: ColdStart['engine'], first: number): ColdStart => ({
    engine,
    milliseconds: 100 + first,
    phases: { import: 50, device: 30, weights: 20, 'first pass': first },
    secondPass: first / 10,
    pipelines: engine === 'thaw' ? 5 : 20,
  });
  const starts = [200, 400, 300].flatMap((first) => [start('thaw', first), start('tfjs-webgpu', 2 * first + 100)]);
  expect(summariseCold(starts)).toEqual([
    { engine: 'thaw', milliseconds: { median: 400, min: 300, max: 500, rounds: 3 }, phases: { import: 50, device: 30, weights: 20, 'first pass': 300 }, secondPass: 30, pipelines: 5, thawShare: 1 },
    { engine: 'tfjs-webgpu', milliseconds: { median: 800, min: 600, max: 1000, rounds: 3 }, phases: { import: 50, device: 30, weights: 20, 'first pass': 700 }, secondPass: 70, pipelines: 20, thawShare: 0.5 },
  ]); // prettier-ignore
});
