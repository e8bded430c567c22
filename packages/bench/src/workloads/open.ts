// Opens a workload from its description, which is plain data and so can be sent to another process.
import type { Engine } from '../engines/engine.ts';
import { stepWorkload, type StepSpec } from './step.ts';
import type { Workload } from './workload.ts';

export type WorkloadSpec = StepSpec;

export function openWorkload(engine: Engine, spec: WorkloadSpec): Promise<Workload> {
  return stepWorkload(engine, spec);
}
