// How much of the packages a program's bundler puts into a page: minified by esbuild, and that gzipped.
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { inRoot } from './paths.mjs';

/** TensorFlow.js, which the program has anyway. */
const TFJS = ['@tensorflow/tfjs-core', '@tensorflow/tfjs-backend-cpu', '#tfjs-gradients'];

/** What is measured: a program that needs nothing else, and what stays out of it. */
export const PROGRAMS = {
  backend: { about: 'the backend', code: "import '@thaw/kernels/browser';", external: TFJS },
  backendWithTfjs: {
    about: 'the same with all of TensorFlow.js core',
    code: "import '@thaw/kernels/browser'; import * as tf from '@tensorflow/tfjs-core'; console.log(tf);",
    external: [],
  },
  op: { about: 'the op conv2d alone', code: "export { conv2d } from '@thaw/kernels';", external: TFJS },
  training: { about: 'ResNet50 and trainClassifier', code: "export { ResNet50, trainClassifier } from '@thaw/model';", external: TFJS }, // prettier-ignore
  batches: { about: 'batches of @thaw/data', code: "export { batches } from '@thaw/data';", external: [] },
};

/**
 * Bundles a program for browsers from the packages' dist/. An import that only Node has is an error.
 * @param {{ code: string, external: string[] }} program
 * @param {string} [folder] from where it imports
 * @returns {Promise<{ minified: number, gzipped: number, modules: string[] }>} bytes, and the files that are in it
 */
export async function bundledSize({ code, external }, folder = inRoot('packages', 'cli')) {
  const { outputFiles, metafile } = await build({
    stdin: { contents: code, resolveDir: folder },
    absWorkingDir: folder,
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    external,
    write: false,
    outfile: 'page.js',
    metafile: true,
    logLevel: 'error',
  });
  const [{ contents }] = /** @type {[import('esbuild').OutputFile]} */ (outputFiles);
  const inputs = Object.values(metafile.outputs)[0]?.inputs ?? {};
  const modules = Object.keys(inputs).filter((path) => (inputs[path]?.bytesInOutput ?? 0) > 0);
  return { minified: contents.byteLength, gzipped: gzipSync(contents, { level: 9 }).byteLength, modules };
}

/** The table that `npm run build` prints. */
export async function sizesTable() {
  const lines = ['in a page, kB minified and gzipped:'];
  for (const program of Object.values(PROGRAMS)) {
    const { minified, gzipped } = await bundledSize(program);
    const [min, gzip] = [minified, gzipped].map((bytes) => (bytes / 1000).toFixed(1).padStart(7));
    lines.push(`${min}${gzip}  ${program.about}`);
  }
  return lines.join('\n');
}
