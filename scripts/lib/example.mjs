// `npm run example`: examples/browser-train with the packages' browser bundles beside it, served on this machine.
import { rmSync } from 'node:fs';
import { build, context } from 'esbuild';
import { inRoot } from './paths.mjs';
import { say, StepError } from './process.mjs';

const FOLDER = inRoot('examples', 'browser-train');

/** What the import map of index.html names, and the packages behind it. */
const LIBRARIES = {
  'tfjs-core': '@tensorflow/tfjs-core',
  kernels: '@thaw/kernels',
  'kernels-browser': '@thaw/kernels/browser',
  model: '@thaw/model',
  data: '@thaw/data',
};

/** Writes lib/ of the example from the packages' dist/: ES modules that share what they have in common. @returns its folder */
export async function buildExample() {
  const outdir = inRoot('examples', 'browser-train', 'lib');
  rmSync(outdir, { recursive: true, force: true });
  await build({
    absWorkingDir: inRoot('packages', 'cli'),
    entryPoints: Object.entries(LIBRARIES).map(([out, path]) => ({ in: path, out })),
    outdir,
    bundle: true,
    splitting: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: ['chrome120', 'firefox121', 'safari17'],
    logLevel: 'warning',
  });
  return FOLDER;
}

/** Serves a folder. @param {string} folder @param {number} [port] else any that is free */
export async function serve(folder, port) {
  const server = await context({});
  const { port: found } = await server.serve({ servedir: folder, host: '127.0.0.1', ...(port && { port }) });
  return { url: `http://localhost:${found}/`, stop: () => server.dispose() };
}

/** @param {string[]} args a port @returns {Promise<number>} when it is stopped */
export async function serveExample([port = '8080']) {
  if (!/^\d{1,5}$/.test(port)) throw new StepError(`"${port}" is no port; npm run example -- 9000`, 2);
  const { url } = await serve(await buildExample(), Number(port));
  say(`${url} is the page; Ctrl-C ends it.`);
  return new Promise(() => undefined);
}
