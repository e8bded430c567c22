// Writes a package's .d.ts files with tsc.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { inRoot, TOOLS } from './paths.mjs';
import { run } from './process.mjs';

/**
 * @param {string} name the package's short name
 * @param {string} folder its folder
 * @param {{ source: string }[]} entries whose declarations, and those that they reach, are written; relative to the folder
 * @param {string} dist where to
 * @returns {Promise<boolean>} whether tsc was content
 */
export async function emitDeclarations(name, folder, entries, dist) {
  const config = {
    extends: join(folder, 'tsconfig.json'),
    compilerOptions: {
      noEmit: false,
      declaration: true,
      emitDeclarationOnly: true,
      // A neighbouring package is read from its declarations, not its sources, which lie outside rootDir.
      customConditions: [],
      rootDir: join(folder, 'src'),
      outDir: dist,
    },
    files: entries.map(({ source }) => join(folder, source)),
    include: [join(folder, 'src/**/*.d.ts')],
  };
  // Beside node_modules, so that "types" are found; in .tools, so that no editor takes it for the package's own.
  mkdirSync(join(TOOLS, 'tsconfig'), { recursive: true });
  const path = join(TOOLS, 'tsconfig', `${name}.json`);
  writeFileSync(path, `${JSON.stringify(config, null, 2)}\n`);
  const tsc = createRequire(inRoot('package.json')).resolve('typescript/bin/tsc');
  if ((await run(process.execPath, [tsc, '-p', path])) !== 0) return false;
  for (const file of readdirSync(dist, { recursive: true }).map(String)) {
    if (file.endsWith('.d.ts')) pointAtJavaScript(join(dist, file));
  }
  return true;
}

/** Sources import './x.ts'; a published declaration must say './x.js', which is how TypeScript names x.d.ts. @param {string} path */
function pointAtJavaScript(path) {
  const text = readFileSync(path, 'utf8');
  const rewritten = text.replace(/((?:from|import)\s*\(?\s*['"])(\.{1,2}\/[^'"]+)\.ts(['"])/g, '$1$2.js$3');
  if (rewritten !== text) writeFileSync(path, rewritten);
}
