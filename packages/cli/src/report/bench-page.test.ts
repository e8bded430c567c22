// The pages of the benchmarks: every figure is there, escaped, and nothing is asked of the network.
import { expect, test } from 'vitest';
import { kernelReportHtml } from './kernels.ts';
import { stepReportHtml } from './steps.ts';

const origin = {
  device: { backend: 'thaw', name: 'GPU <3>', driver: 'driver 1.2', isSoftware: false },
  versions: { thaw: '0.1.0', webgpu: '0.6.2' },
  commandLine: 'thaw bench step --with "a & b.json"',
  created: '2026-11-25T20:00:00.000Z',
  ceilings: { flops: 51e12, bytesPerSecond: 2.5e12 },
} as const;
const spread = (median: number) => ({ median, min: 0.9 * median, max: 1.1 * median, rounds: 5 });

/** What the page's script is given. */
function dataOf(html: string): unknown {
  const [, json = ''] = /<script type="application\/json" id="data">(.*?)<\/script>/s.exec(html) ?? [];
  return JSON.parse(json);
}

test('steps: rows of other files stand beside those measured here, with the floor as a bar', () => {
  const html = stepReportHtml(
    {
      ...origin,
      imageSize: 32,
      batchSize: 32,
      precision: 'float32',
      cases: [{ name: 'all', about: 'every layer' }],
      rows: [
        { case: 'all', engine: 'thaw', milliseconds: spread(10), imagesPerSecond: 3200, floorMilliseconds: 4, dispatches: 1506, hostMilliseconds: spread(2), peakBytes: 2 ** 29 },
        { case: 'all', engine: 'pytorch fp32', milliseconds: spread(12.5), imagesPerSecond: 2560, ratio: 1.25 },
      ],
      others: 'Of a & b.json: a GPU.',
    },
    '/* chart */',
  ); // prettier-ignore
  expect(dataOf(html)).toEqual([
    {
      id: 'chart-all',
      labels: ['thaw: 10.0 ms', 'pytorch fp32: 12.5 ms', 'floor: 4.00 ms'],
      series: [{ name: 'all', values: [10, 12.5, 4], colours: ['a', 'c', 'faint'] }],
      axis: 'milliseconds a step; shorter is faster',
      scale: 'linear',
    },
  ]);
  for (const figure of ['3,200', '40 %', '1.25 ×', '1,506', '512.0 MiB', '51000 GFLOP/s and 2500.0 GB/s'])
    expect(html).toContain(figure);
  expect(html).toContain('GPU &lt;3&gt;');
  expect(html).toContain('a &amp; b.json');
  expect(html).not.toMatch(/https?:\/\//);
});

test('kernels: a series for each engine, a gap where it has no such kernel', () => {
  const row = (engine: string, median: number, name = 'conv2d, 1x1') => ({ case: name, op: 'conv2d' as const, engine, milliseconds: spread(median), hostMilliseconds: spread(1), gflops: 1, gigabytesPerSecond: 1, floorMilliseconds: 1, dispatches: 1, peakBytes: 1, ratio: undefined, agreement: undefined }); // prettier-ignore
  const rows = [row('thaw', 2), row('tfjs-wasm', 4), row('thaw', 3, 'conv2d, 3x3')];
  const html = kernelReportHtml({ ...origin, precision: 'float32', rows, families: [] }, '/* chart */');
  expect(dataOf(html)).toMatchObject([
    {
      labels: ['1x1', '3x3'],
      series: [
        { name: 'thaw', values: [2, 3] },
        { name: 'tfjs-wasm', values: [4, null] },
      ],
    },
  ]);
  expect(html).not.toMatch(/https?:\/\//);
  expect(html).toContain('<h1>Kernels, side by side</h1>');
});

test('kernels elsewhere: another heading, and notes about where', () => {
  const report = {
    ...origin,
    precision: 'float32',
    rows: [],
    families: [],
    heading: 'In a browser',
    notes: ['WebGL <b>'],
  };
  const html = kernelReportHtml(report, '/* chart */');
  expect(html).toContain('<h1>In a browser</h1>');
  expect(html).toContain('<p class="note">WebGL &lt;b&gt;</p>');
});
