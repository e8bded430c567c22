// The package arrows, read from the imports: cli -> bench -> model -> kernels -> tfjs-core, cli -> data,
// cli -> mpi; no cycles; the browser
// entries reach nothing that only Node can load.
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ROOT } from '../scripts/lib/paths.mjs';
import { cycles, type Imports, nodeModulesReached, readImports, undeclared, wrongArrows } from './imports.ts';

describe('this workspace', () => {
  let imports: Imports;
  beforeAll(async () => {
    imports = await readImports(ROOT);
  });

  test.each(['kernels', 'data', 'model', 'bench', 'mpi', 'cli'])('%s imports only what lies below it', (name) => {
    expect([...imports.keys()].filter((path) => path.startsWith(`packages/${name}/src/`))).not.toEqual([]);
    expect(wrongArrows(imports, name)).toEqual([]);
  });

  test.each(['kernels', 'data', 'model', 'bench', 'mpi', 'cli'])(
    '%s imports only what exists and what its package.json names',
    (name) => {
      expect(undeclared(imports, name)).toEqual([]);
    },
  );

  test('has no import cycles', () => {
    expect(cycles(imports)).toEqual([]);
  });

  test.each(['kernels/src/index', 'kernels/src/browser', 'model/src/index', 'data/src/index'])(
    '%s reaches no Node module',
    (path) => {
      const entry = `packages/${path}.ts`;
      expect(imports.has(entry)).toBe(true);
      expect(nodeModulesReached(imports, entry)).toEqual([]);
    },
  );
});

describe('a workspace with every mistake', () => {
  let root: string;
  let imports: Imports;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'thaw-architecture-'));
    const files = {
      'node_modules/@tensorflow/tfjs-core/package.json': '{ "name": "@tensorflow/tfjs-core", "main": "index.js" }',
      'node_modules/@tensorflow/tfjs-core/index.js': '',
      'packages/kernels/src/index.ts': "import './deep.ts';",
      'packages/kernels/src/deep.ts':
        "import './index.ts'; import { readFile } from 'node:fs/promises'; readFile('x');",
      'packages/data/src/index.ts': "import '@tensorflow/tfjs-core'; import './missing.ts';",
      'packages/model/src/index.ts': "import type { X } from '../../data/src/index.ts'; export type Y = X;",
    };
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), text);
    }
    imports = await readImports(root);
  });
  afterAll(() => rm(root, { recursive: true }));

  test('is caught in each', () => {
    expect(wrongArrows(imports, 'data')).toHaveLength(1);
    expect(wrongArrows(imports, 'model')).toEqual([expect.stringContaining('packages/data/src/index.ts')]);
    expect(undeclared(imports, 'data')).toContain('packages/data/src/index.ts imports ./missing.ts');
    expect(cycles(imports)).toHaveLength(1);
    expect(nodeModulesReached(imports, 'packages/kernels/src/index.ts')).toEqual([
      expect.stringContaining('fs/promises'),
    ]);
  });
});
