import { test } from 'vitest';
import { gpu } from './device.ts';
import { random } from './compare.ts';
import { planConv2d } from '../kernels/conv2d/conv2d.plan.ts';
import type { Plan } from '../runtime/plan.ts';
const conv = (batch: number, size: number, inC: number, outC: number, k: number, stride = 1) => { const out = Math.ceil(size / stride); return { batch, inH: size, inW: size, inC, outH: out, outW: out, outC, kH: k, kW: k, strideH: stride, strideW: stride, dilationH: 1, dilationW: 1, padTop: (k - 1) >> 1, padLeft: (k - 1) >> 1 }; };
const shapes = { '3x3 8x8 64': conv(32, 8, 64, 64, 3), '1x1 8x8 64-256': conv(32, 8, 64, 256, 1), '1x1 4x4 512-128': conv(32, 4, 512, 128, 1), '3x3 2x2 256': conv(32, 2, 256, 256, 3), '3x3 1x1 512': conv(32, 1, 512, 512, 3) };
async function time(plan: Plan, inputs: Record<string, number>) {
  const given = Object.fromEntries(Object.entries(inputs).map(([k, n]) => { const s = gpu.allocate([n]); gpu.queue.upload(s, random(n, 1)); return [k, s]; }));
  const go = async () => { const o = gpu.run(plan, given); await gpu.queue.settle(0); for (const s of Object.values(o)) gpu.release(s); };
  await go(); const ts = []; for (let r = 0; r < 5; r++) { const t = performance.now(); await go(); ts.push(performance.now() - t); }
  return ts.sort((a, b) => a - b)[2]!;
}
const tunings = JSON.parse(process.env.TUNINGS ?? '[{}]');
test('perf', async () => {
  for (const t of tunings) { let line = JSON.stringify(t).padEnd(50);
    for (const [name, s] of Object.entries(shapes)) { const flop = 2 * s.batch * s.outH * s.outW * s.outC * s.inC * (s.kH === 1 ? 1 : s.inH === 1 ? 1 : s.inH === 2 ? 4 : 9);
      const ms = await time(planConv2d(s, {}, gpu.limits, t), { x: s.batch * s.inH * s.inW * s.inC, w: s.kH * s.kW * s.inC * s.outC });
      line += ` ${name}: ${ms.toFixed(1)}ms ${(flop / ms / 1e6).toFixed(1)}GF |`; }
    console.log(line); }
}, 300000);
