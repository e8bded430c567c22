// What every package's tests share: sources instead of dist, and few processes, as WebGPU tests share one device.
import type { ViteUserConfig } from 'vitest/config';
import { bundledWorkers } from './scripts/lib/vitest-workers.mjs';

// Ahead of vite's defaults, which naming any condition replaces.
const client = ['thaw-source', 'module', 'browser', 'development|production'];
const server = ['thaw-source', 'module', 'node', 'development|production'];

/** The vitest configuration of one package. */
export function packageTests(name: string): ViteUserConfig {
  return {
    resolve: { conditions: client },
    ssr: { resolve: { conditions: server } },
    plugins: [bundledWorkers()],
    test: {
      // Or a style sheet's text is empty.
      css: true,
      name,
      include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
      pool: 'forks',
      testTimeout: 120_000,
      hookTimeout: 120_000,
    },
  };
}
