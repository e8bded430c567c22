// Settings of thaw sweep.
import { z } from 'zod';
import { whole, type OptionsOf } from './info.ts';

const AXIS = /^[a-z][a-z0-9-]*=.+$/;

export const searchSettings = {
  grid: z.array(z.string().regex(AXIS)).min(1),
  random: z.int().min(1).max(10_000),
} as const;

export const searchOptions: OptionsOf<typeof searchSettings> = {
  grid: {
    flags: '--grid <name=values...>',
    description:
      'an option of thaw train and what to try, such as learning-rate=1e-3,1e-4; again for more; | separates values that hold commas; with --random also a range, such as dropout=0..0.5',
    expected: 'an option and its values, such as learning-rate=1e-3,1e-4',
  },
  random: {
    flags: '--random <n>',
    description: 'draw n points by --seed instead of trying all',
    ...whole(1),
  },
};
