// The commands, in the order of the help.
import type { AnyCommand } from './command.ts';
import { summary } from './summary.ts';
import { train } from './train.ts';

export const commands: readonly AnyCommand[] = [train, summary];
