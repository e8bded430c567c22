// Bundles one package's entries as ES modules for Node >= 20 and browsers, with its dependencies left outside.
import { build } from 'esbuild';
import { externalDependencies, rawText } from './esbuild-plugins.mjs';

/**
 * @param {string} folder the package's folder
 * @param {{ dependencies?: Record<string, string>, peerDependencies?: Record<string, string> }} manifest
 * @param {{ source: string, name: string }[]} entries sources relative to the folder, and the names of their bundles
 * @param {string} outdir
 * @throws where esbuild fails, after it has printed why
 */
export async function bundle(folder, manifest, entries, outdir) {
  await build({
    absWorkingDir: folder,
    entryPoints: entries.map(({ source, name }) => ({ in: source, out: name })),
    outdir,
    bundle: true,
    // One copy of what two entries share: `.` and `./node` of a package must see the same classes.
    splitting: true,
    format: 'esm',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    conditions: ['thaw-source'],
    target: ['node20', 'chrome120', 'firefox121', 'safari17'],
    sourcemap: true,
    plugins: [rawText, externalDependencies(Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }))],
    logLevel: 'warning',
  });
}
