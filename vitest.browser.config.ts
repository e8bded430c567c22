// `npm run test:browser`: the kernel tests in headless Chromium, on the page's own WebGPU device.
import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';
import { launchOptions } from './packages/bench/src/browser/drive.ts';
import { packageTests } from './vitest.shared.ts';

const { resolve, test } = packageTests('kernels in Chromium');

/** Start programs, read or write files, open Dawn's null device, or wait as Node does. */
const NODE_ONLY = [
  'gradients/core-gradients',
  'wgsl/all-shaders',
  'kernels/conv2d/flat-memory',
  'kernels/conv2d/matrix',
  'runtime/napping',
  'tfjs/layers',
];

export default defineConfig({
  root: 'packages/kernels',
  resolve: resolve ?? {},
  define: { 'process.env': '{}' },
  optimizeDeps: { exclude: ['webgpu'] },
  test: {
    ...test,
    exclude: NODE_ONLY.map((name) => `src/${name}.test.ts`),
    // Layers of ResNet-50 at 64 and 224, and staged at 32, take two minutes of a software device; Node runs them.
    testNamePattern: /^(?!.*ResNet-50 .*( at (64|224)|, staged))/,
    reporters: ['default', new URL('scripts/counts-reporter.mjs', import.meta.url).pathname],
    // One page at a time: they share the device.
    fileParallelism: false,
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      provider: playwright({ launchOptions: launchOptions('auto') }),
      instances: [{ browser: 'chromium' }],
    },
  },
});
