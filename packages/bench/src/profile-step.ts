// thaw bench profile: where the time of a captured training step goes, kernel by kernel, by timestamp queries.
import type { KernelTime, ThawBackend } from '@thaw/kernels';
import type { Precision } from '@thaw/model';
import { thawEngine } from './engines/thaw.ts';
import { stepWorkload, type StepCase } from './workloads/step.ts';

export interface ProfileOptions {
  readonly imageSize: number;
  readonly batchSize: number;
  readonly seed: number;
  readonly precision?: Precision | undefined;
}

/** Medians would hide nothing here: one step, after two that were not timed. @throws without the timestamp-query feature */
export async function profileStep(
  thaw: ThawBackend,
  { part }: StepCase,
  { imageSize, batchSize, seed, precision }: ProfileOptions,
): Promise<{ kernels: KernelTime[]; milliseconds: number }> {
  const workload = await stepWorkload(thawEngine(thaw), { kind: 'step', part, imageSize, batchSize, seed, precision });
  try {
    await workload.time(2);
    const { milliseconds } = await workload.time(3);
    const kernels = await thaw.profile(async () => {
      await workload.time(1);
    });
    return { kernels, milliseconds };
  } finally {
    await workload.close();
  }
}
