// Asks Dawn for an adapter and prints one line of JSON: {"adapter": {...}} or {"adapter": null}.
// Its own process, because a Vulkan loader that has found no driver does not look again, and a bad driver may crash.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { inRoot } from './lib/paths.mjs';

const require = createRequire(inRoot('packages', 'kernels', 'package.json'));
const { create } = await import(pathToFileURL(require.resolve('webgpu')).href);
const adapter = await create([]).requestAdapter();
const info = adapter?.info;
const found = info ? { vendor: info.vendor, architecture: info.architecture, description: info.description } : null;
process.stdout.write(`${JSON.stringify({ adapter: found })}\n`);
