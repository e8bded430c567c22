// Settings of the command itself.
import { z } from 'zod';
import { flag, text, type OptionsOf } from './info.ts';

export const generalSettings = {
  config: z.string().min(1),
  verbose: z.boolean(),
} as const;

export const generalOptions: OptionsOf<typeof generalSettings> = {
  config: {
    flags: '--config <file>',
    description: 'settings from a JSON file; flags win over it',
    ...text('a JSON file'),
  },
  verbose: { flags: '--verbose', description: 'print the stack of an error', ...flag },
};
