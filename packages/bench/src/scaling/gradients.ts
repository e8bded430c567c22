// The gradients of a step in their buckets, and when in the step each bucket is complete.
import { gradientBuckets, layerTable, VARIANTS } from '@thaw/model';
import { floorMilliseconds, type Work } from '../measure/statistics.ts';
import { CLASSES, VARIANT, type StepSpec } from '../workloads/step.ts';
import { layerWorks } from '../workloads/step-work.ts';

/** Gradients that leave the device together. */
export interface Bucket {
  /** In float32. */
  readonly bytes: number;
  /** Share of the step's time at which the last of them is there. */
  readonly readyAt: number;
}

/** What of a step is to be added up over the ranks. */
export interface StepGradients {
  /** In the order in which they are complete. */
  readonly buckets: readonly Bucket[];
  /** Share of the step's time at which the backward pass ends and the update could begin. */
  readonly backwardEnd: number;
}

/**
 * Operations in the time of a byte of memory traffic: fewer than a processor's ceilings have (4) and a GPU's (14), as convolutions
 * come less near to their ceiling than the optimizer, which is all traffic, does to its.
 */
const BALANCE = { flops: 2, bytesPerSecond: 1 };
const timeOf = (work: Work): number => floorMilliseconds(work, BALANCE);
/** Of the article's head. */
const HIDDEN_WIDTHS = [32, 16, 8];

/**
 * Layers take time in proportion to their floors; those with none (the head) take none.
 * @param spec a part that trains
 */
export function stepGradients(spec: Omit<StepSpec, 'kind' | 'seed'>): StepGradients {
  const works = layerWorks(spec);
  let now = works.reduce((sum, { forward }) => sum + timeOf(forward), 0);
  const bytes = new Map(headGradients(spec.imageSize));
  const complete = new Map([...bytes.keys()].map((name) => [name, now]));
  for (const { layer, trains, backward } of works.toReversed()) {
    now += timeOf(backward);
    if (!trains) continue;
    for (const { name, shape, statistic } of layer.variables.toReversed()) {
      if (statistic) continue;
      bytes.set(name, 4 * shape.reduce((product, length) => product * length, 1));
      complete.set(name, now);
    }
  }
  const whole = now + works.reduce((sum, { update }) => sum + timeOf(update), 0);
  const share = (time: number): number => (whole === 0 ? 1 : time / whole);
  const bytesOf = (name: string): number => bytes.get(name) ?? 0;
  return {
    buckets: gradientBuckets([...bytes.keys()], bytesOf).map((names) => ({
      bytes: names.reduce((sum, name) => sum + bytesOf(name), 0),
      readyAt: share(Math.max(...names.map((name) => complete.get(name) ?? now))),
    })),
    backwardEnd: share(now),
  };
}

/** From the classes down, as the backward pass comes to them. */
function headGradients(imageSize: number): [name: string, bytes: number][] {
  const last = layerTable(VARIANTS[VARIANT], { imageSize }).at(-1)?.outputShape ?? [];
  const widths = [last.reduce((product, length) => product * length, 1), ...HIDDEN_WIDTHS, CLASSES];
  return widths
    .slice(1)
    .map((width, i): [string, number] => [`head/dense_${i}`, 4 * ((widths[i] ?? 0) + 1) * width])
    .toReversed();
}
