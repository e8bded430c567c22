// Opens a workload from its description, which is plain data and so can be sent to another process.
import type { Engine } from '../engines/engine.ts';
import { kernelWorkload, type KernelSpec } from './kernel.ts';
import { stepWorkload, type StepSpec } from './step.ts';
import type { Workload } from './workload.ts';

export type WorkloadSpec = StepSpec | KernelSpec;

export function openWorkload(engine: Engine, spec: WorkloadSpec): Promise<Workload> {
  return spec.kind === 'step' ? stepWorkload(engine, spec) : kernelWorkload(engine, spec);
}
