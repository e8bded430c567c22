// Tests of @thaw/data read the packages' sources, through the export condition `thaw-source`.
import { defineConfig } from 'vitest/config';

const conditions = ['thaw-source', 'module', 'import', 'default'];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: { include: ['src/**/*.test.ts'] },
});
