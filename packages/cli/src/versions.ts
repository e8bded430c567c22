// Versions of what a run depends on, for its folder, its report and the doctor.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';

/** This package's version; src/ and dist/ lie side by side under its folder. */
export const THAW_VERSION = versionIn(join(dirname(fileURLToPath(import.meta.url)), '..', 'package.json')) ?? 'unknown';

/** Names and versions, this program first. */
export function versions(): Record<string, string> {
  const webgpu = versionOf('webgpu');
  return {
    thaw: THAW_VERSION,
    node: process.versions.node,
    'tfjs-core': tf.version_core,
    ...(webgpu !== undefined && { 'webgpu (Dawn)': webgpu }),
    platform: `${process.platform} ${process.arch}`,
  };
}

/** Looks through @thaw/kernels, which depends on it. */
function versionOf(name: string): string | undefined {
  try {
    const require = createRequire(import.meta.url);
    const kernels = createRequire(require.resolve('@thaw/kernels/node'));
    return versionIn(kernels.resolve(`${name}/package.json`));
  } catch {
    return undefined;
  }
}

function versionIn(path: string): string | undefined {
  try {
    const manifest: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof manifest === 'object' && manifest !== null && 'version' in manifest) return String(manifest.version);
  } catch {
    return undefined;
  }
  return undefined;
}
