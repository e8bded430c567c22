// One vitest run over all packages and the workspace's own tests.
import { defineConfig } from 'vitest/config';
import { ensureRuntimeDir } from './scripts/lib/system.mjs';
import { packageTests } from './vitest.shared.ts';

// Here too, so that vitest started without the runner finds the software adapter.
ensureRuntimeDir();

export default defineConfig({
  test: {
    // Two processes at most: WebGPU tests share one device, and a software adapter takes every core by itself.
    maxWorkers: 2,
    reporters: ['default', './scripts/counts-reporter.mjs'],
    projects: [
      'packages/*',
      { ...packageTests('workspace'), test: { ...packageTests('workspace').test, include: ['test/**/*.test.ts'] } },
    ],
  },
});
