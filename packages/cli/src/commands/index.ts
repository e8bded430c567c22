// The commands, in the order of the help.
import type { AnyCommand } from './command.ts';
import { adapt } from './adapt.ts';
import { bench } from './bench/index.ts';
import { demo } from './demo.ts';
import { doctor } from './doctor.ts';
import { download } from './download.ts';
import { evaluate } from './evaluate.ts';
import { exportRun } from './export.ts';
import { features } from './features.ts';
import { findLr } from './find-lr.ts';
import { predict } from './predict.ts';
import { report } from './report.ts';
import { serve } from './serve.ts';
import { summary } from './summary.ts';
import { sweep } from './sweep.ts';
import { train } from './train.ts';

export const commands: readonly AnyCommand[] = [
  train,
  sweep,
  evaluate,
  report,
  predict,
  exportRun,
  serve,
  features,
  findLr,
  adapt,
  summary,
  download,
  doctor,
  demo,
  bench,
];
