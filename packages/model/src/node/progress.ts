// How far a run has come, as a checkpoint's metadata holds it: JSON, checked before anything goes on from it.
import { z } from 'zod';
import type { Progress } from '../training/types.ts';

const count = z.int().min(0);
const progress = z.looseObject({
  phase: count.optional(),
  epoch: count,
  step: count,
  position: count.optional(),
  unread: z.object({ loss: z.number(), correct: z.number() }).optional(),
  lossSum: z.number(),
  correct: z.number(),
  seen: count,
  totalSteps: count,
  globalBatch: count.optional(),
  bestEpoch: count,
  bestScore: z.number(),
  history: z.array(z.looseObject({ epoch: count })),
  optimizerSteps: z.record(z.string(), count),
  lossScale: z.looseObject({ scale: z.number().gt(0), good: count, skipped: count }).optional(),
});

/** @throws Error that names the key that is wrong */
export function parseProgress(text: string): Progress {
  const value = JSON.parse(text) as Progress;
  const [issue] = progress.safeParse(value).error?.issues ?? [];
  if (issue) throw new Error(`its progress is wrong at '${issue.path.join('.')}': ${issue.message}`);
  return value;
}
