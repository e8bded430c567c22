// What moves without gradients, the statistics of batch-norms, goes its own way on each rank until it is brought to one value.
import { assignValues } from '@thaw/kernels';
import type { Classifier } from '../training/classifier.ts';
import type { Group } from './group.ts';

/** Sets what no optimizer changes to its mean over the ranks. Collective. */
export async function levelMovingStatistics({ variables, trainables }: Classifier, group: Group): Promise<void> {
  const moving = [...variables].filter(([name]) => !trainables.has(name)).map(([, variable]) => variable);
  if (moving.length === 0) return;
  const values = new Float64Array(moving.reduce((sum, { size }) => sum + size, 0));
  let at = 0;
  for (const variable of moving) {
    values.set(await variable.data<'float32'>(), at);
    at += variable.size;
  }
  // In float64, where equal values have exactly themselves as their mean.
  await group.sum(values);
  at = 0;
  for (const variable of moving) {
    assignValues(
      variable,
      Float32Array.from(values.subarray(at, at + variable.size), (sum) => sum / group.size),
    );
    at += variable.size;
  }
}
