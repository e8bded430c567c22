import { defineConfig } from 'vitest/config';

const conditions = ['thaw-source', 'module', 'import', 'default'];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: { name: 'kernels', include: ['src/**/*.test.ts'], testTimeout: 120_000 },
});
