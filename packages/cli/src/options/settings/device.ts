// Settings of what computes.
import { z } from 'zod';
import { flag, text, words, type OptionsOf } from './info.ts';

export const BACKENDS = ['auto', 'thaw', 'wasm', 'cpu'] as const;
export type BackendChoice = (typeof BACKENDS)[number];

export const TRUNKS = ['auto', 'device', 'wasm'] as const;

/** As @thaw/bench knows them; named here, or every command would load it for its help. */
export const GRAPHICS = ['auto', 'software', 'vulkan', 'gl', 'native'] as const;

export const deviceSettings = {
  backend: z.enum(BACKENDS),
  graphics: z.enum(GRAPHICS),
  open: z.boolean(),
  adapter: z.string().min(1),
  trunk: z.enum(TRUNKS),
} as const;

export const deviceOptions: OptionsOf<typeof deviceSettings> = {
  backend: {
    flags: '--backend <name>',
    description: 'auto: thaw (WebGPU) where there is an adapter, else wasm; cpu is for tests',
    ...words(BACKENDS),
  },
  graphics: {
    flags: '--graphics <name>',
    description:
      'what the browser is started with: software (SwiftShader), vulkan, gl (WebGPU on Vulkan, WebGL on OpenGL), native; auto: on Linux vulkan with a GPU and software without, elsewhere native',
    ...words(GRAPHICS),
  },
  open: {
    flags: '--no-open',
    description: 'start no browser: print the address, and wait until yours has opened it and is done',
    ...flag,
  },
  adapter: {
    flags: '--adapter <name>',
    description: "part of the adapter's name, where there are several",
    ...text('part of an adapter name'),
  },
  trunk: {
    flags: '--trunk <name>',
    description:
      'what runs a trunk that does not train: device, wasm (WebAssembly on all cores), or auto: without a GPU and with many images the faster of both, else the device',
    ...words(TRUNKS),
  },
};
