// Which graphics Chromium is started with. WebGPU and WebGL fall back to software silently and apart from each other, so each
// choice is a set of flags under which both use the same device (docs/benchmarks/README.md).
import { existsSync, readdirSync } from 'node:fs';

/** The choices: `auto` takes one of the others. */
export const GRAPHICS = ['auto', 'software', 'vulkan', 'gl', 'native'] as const;
/** Name of a choice. */
export type Graphics = (typeof GRAPHICS)[number];

// WebGPU on Linux, and the names of adapter and driver; and no end of the graphics process that computes for ten seconds.
const ALWAYS = ['--enable-unsafe-webgpu', '--enable-webgpu-developer-features', '--disable-gpu-watchdog'];

const FLAGS: Readonly<Record<Exclude<Graphics, 'auto'>, readonly string[]>> = {
  // SwiftShader for both. Chromium refuses Mesa's lavapipe for WebGPU.
  software: ['--use-angle=swiftshader', '--enable-unsafe-swiftshader', '--use-webgpu-adapter=swiftshader'],
  vulkan: ['--use-angle=vulkan', '--enable-features=Vulkan', '--disable-vulkan-surface', '--ignore-gpu-blocklist'],
  // WebGL through the driver's OpenGL, which may be faster than WebGL over Vulkan.
  gl: ['--use-gl=angle', '--use-angle=gl-egl', '--enable-features=Vulkan', '--ignore-gpu-blocklist'],
  native: ['--ignore-gpu-blocklist'],
};

/** Whether Linux shows a GPU to this process. */
function hasGpu(): boolean {
  const drawn = existsSync('/dev/dri') && readdirSync('/dev/dri').some((name) => name.startsWith('renderD'));
  return drawn || existsSync('/dev/nvidia0');
}

/** What `auto` is on this machine: on Linux Vulkan with a GPU and software without; elsewhere what the browser does by itself. */
export function resolveGraphics(
  graphics: Graphics,
  platform: string = process.platform,
  gpu = hasGpu(),
): Exclude<Graphics, 'auto'> {
  // prettier-ignore
  if (graphics !== 'auto') return graphics;
  if (platform !== 'linux') return 'native';
  return gpu ? 'vulkan' : 'software';
}

/** Chromium's command line for a choice, without its program. */
export const graphicsFlags = (graphics: Graphics): string[] => [...ALWAYS, ...FLAGS[resolveGraphics(graphics)]];
