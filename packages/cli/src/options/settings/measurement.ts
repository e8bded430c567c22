// Settings of benchmarks.
import { z } from 'zod';
import { listOf, real, text, whole, type OptionsOf } from './info.ts';

export const PEERS = ['tfjs-webgpu', 'tfjs-wasm', 'tfjs-cpu'] as const;

export const measurementSettings = {
  against: z.string().regex(new RegExp(`^${listOf(PEERS)}$`)),
  rounds: z.int().min(1),
  seconds: z.number().gt(0),
  filter: z.string().min(1),
  exportStep: z.string().min(1),
  html: z.string().min(1),
  with: z.string().min(1),
} as const;

export const measurementOptions: OptionsOf<typeof measurementSettings> = {
  against: {
    flags: '--against <names>',
    description: `the same in other engines too, commas between them: ${PEERS.join(', ')}`,
    expected: `a list of ${PEERS.join(', ')}`,
  },
  rounds: {
    flags: '--rounds <n>',
    description: 'rounds in which every engine has its turn',
    ...whole(1),
  },
  seconds: {
    flags: '--seconds <n>',
    description: 'time for the rounds of one case; every engine gets one round at least',
    ...real('a number of seconds above 0'),
  },
  filter: {
    flags: '--filter <text>',
    description: 'only cases with this in their names; commas add up',
    ...text('part of a name'),
  },
  exportStep: {
    flags: '--export-step <file>',
    description: 'write one case, from weights and images to loss and gradients, as safetensors; time nothing',
    ...text('a file to write'),
  },
  html: {
    flags: '--html <file>',
    description: 'write a page with charts and every figure',
    ...text('a file to write'),
  },
  with: {
    flags: '--with <file>',
    description: 'put the rows of this JSON file (of bench/pytorch_step.py, or an earlier run) into the table',
    ...text('a JSON file'),
  },
};
