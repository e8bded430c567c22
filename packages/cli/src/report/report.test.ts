// The page of a run: what its scripts are given, and that text is text. report-page.test.ts opens it in a browser.
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { CONFUSION, reportFixture } from '../testing/report.ts';
import { reportHtml } from './html.ts';
import { heatUri } from './images.ts';

const html = reportHtml(reportFixture('frozen', 'thawed <b>'), '/* chart */');

test('the scripts get every epoch, the confusion and the bins of each method', () => {
  const [, json = ''] = /<script type="application\/json" id="data">(.*?)<\/script>/s.exec(html) ?? [];
  const { curves, confusion, calibration } = JSON.parse(json) as Record<string, Record<string, unknown>[]>;
  expect(curves!.map(({ name }) => name)).toEqual(['frozen', 'thawed <b>']);
  expect(curves![0]!['history']).toMatchObject([
    { epoch: 1, loss: 2, learningRate: 0.001 },
    { epoch: 2, loss: 1.5, imagesPerSecond: 101 },
    { epoch: 3, loss: 1.25, validationLoss: 1.35 },
  ]);
  expect(confusion![1]).toEqual({ classes: ['cat', '<dog>', 'owl'], confusion: CONFUSION });
  expect(calibration![1]).toMatchObject({ key: 1, bins: [{ count: 0 }, { count: 35, accuracy: 0.8 }] });
});

test('what is needed to do it again is on it', () => {
  for (const text of [
    'GPU &lt;3&gt;',
    'driver 1.2',
    'thaw (WebGPU)',
    '2026-11-25T20:00:00.000Z',
    'abc123',
    'def456',
    'thaw 0.1.0, webgpu 0.6.2',
    "thaw train --data 'my &lt;pets&gt;'",
  ])
    // prettier-ignore
    expect(html).toContain(text);
});

test('nothing is asked of the network, and no text becomes markup', () => {
  expect(html).not.toMatch(/https?:\/\//);
  expect(html).not.toMatch(/<dog>|<pets>|<3>|thawed <b>(?!")/);
  expect(html.match(/<script/g)).toHaveLength(html.match(/<\/script>/g)!.length);
});

test('a heat map lets the image through where it is 0, and is yellow where it is 1', async () => {
  const uri = await heatUri({ height: 2, width: 2, values: Float32Array.of(0, 0, 0, 1) });
  const bytes = Buffer.from(uri.replace('data:image/webp;base64,', ''), 'base64');
  const { data, info } = await sharp(bytes).raw().toBuffer({ resolveWithObject: true });
  expect(info).toMatchObject({ width: 96, height: 96, channels: 4 });
  const pixel = (x: number, y: number) => [...data.subarray((y * 96 + x) * 4, (y * 96 + x) * 4 + 4)];
  // The cubic goes below 0 a little, and what is kept is rounded twice.
  expect(pixel(0, 0)[3]).toBeLessThanOrEqual(2);
  const [red, green, , alpha] = pixel(95, 95);
  // WebP's colours are off by a little.
  expect(red).toBeGreaterThan(240);
  expect(green).toBeGreaterThan(235);
  expect(alpha).toBeCloseTo(0.72 * 255, -1);
});
