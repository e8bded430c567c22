// thaw bench: what the machine at hand does, and other engines on it.
import { defineGroup } from '../command.ts';
import { benchBrowserCommand } from './browser.ts';
import { benchColdCommand } from './cold.ts';
import { benchKernelsCommand } from './kernels.ts';
import { benchProfileCommand } from './profile.ts';
import { benchScalingModelCommand } from './scaling-model.ts';
import { benchScalingCommand } from './scaling.ts';
import { benchStepCommand } from './step.ts';
import { benchTuneCommand } from './tune.ts';

export const bench = defineGroup('bench', 'measure training steps and kernels, also against other engines', [
  benchStepCommand,
  benchKernelsCommand,
  benchBrowserCommand,
  benchProfileCommand,
  benchColdCommand,
  benchTuneCommand,
  benchScalingCommand,
  benchScalingModelCommand,
]);
