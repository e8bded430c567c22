import { test, expect } from 'vitest';
import source from '../kernels/conv2d/conv2d.wgsl?raw';
import { readShader } from '../wgsl/shader.ts';
import { gpu, runPlans } from './device.ts';
import { random } from './compare.ts';
test('smoke', async () => {
  const shader = readShader('conv2d', source);
  console.log(shader.bindings, gpu.device.features.size, gpu.limits.maxComputeInvocationsPerWorkgroup, gpu.limits.maxComputeWorkgroupStorageSize);
  const r = await runPlans([{ shader, tuning: shader.tunables, constants: {HAS_BIAS: 0}, params: {rows: 4, outH:2,outW:2,outC:8,inH:2,inW:2,inC:3,kH:1,kW:1,strideH:1,strideW:1,padTop:0,padLeft:0}, workgroups:[1,1,1], outputs: {y: {shape:[1,2,2,8], dtype:'float32'}}}], {x: random(12,1), w: random(24,2)});
  console.log(r);
});
