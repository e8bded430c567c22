// Builds what changed since the last build.
import { stalePackages } from './freshness.mjs';
import { inRoot } from './paths.mjs';
import { run, StepError } from './process.mjs';

/** Builds the JavaScript of the packages that changed; declarations are left to `npm run build`. */
export async function ensureBuilt() {
  const stale = stalePackages();
  if (stale.length === 0) return;
  const code = await run(process.execPath, [inRoot('scripts', 'build.mjs'), '--no-types', ...stale]);
  if (code !== 0) throw new StepError('the build failed; the messages above name file and line.');
}
