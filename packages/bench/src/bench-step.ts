// thaw bench step: the training step and its parts in every engine, verified against each other before any time is taken.
import type { Precision } from '@thaw/model';
import type { Engine, EngineName } from './engines/engine.ts';
import { compare, type Compared } from './measure/compare.ts';
import { floorMilliseconds, type Ceilings } from './measure/statistics.ts';
import { startPeers } from './peer/start.ts';
import type { StepCase, StepSpec } from './workloads/step.ts';
import { workOfStep } from './workloads/step-work.ts';

/** What `benchStep` measures with. */
export interface BenchStepOptions {
  /** Thaw's engine, which the others are compared with. */
  readonly engine: Engine;
  /** Other engines, each in a process of its own. */
  readonly against: readonly EngineName[];
  /** Part of the adapter's name, for the other engines too. */
  readonly adapter?: string | undefined;
  /** Height and width of the images, pixels. */
  readonly imageSize: number;
  /** Images in a step. */
  readonly batchSize: number;
  /** Of the device, as `measureCeilings` gives them. */
  readonly ceilings: Ceilings;
  /** Of weights, images and labels. */
  readonly seed: number;
  /** Of thaw's trunk. */
  readonly precision?: Precision | undefined;
  /** Rounds in which the engines take turns, at most. */
  readonly rounds: number;
  /** For the rounds of one case. */
  readonly seconds: number;
}

/** One line of the table: a case in an engine. */
export interface StepRow extends Compared {
  /** Name of the case. */
  readonly case: string;
  /** What it is, in a few words. */
  readonly about: string;
  /** Height and width of the images, pixels. */
  readonly imageSize: number;
  /** Images in a step. */
  readonly batchSize: number;
  /** Batch size over the median time. */
  readonly imagesPerSecond: number;
  /** The least that the device's ceilings allow; undefined of the head alone. */
  readonly floorMilliseconds: number | undefined;
}

/**
 * What rounding explains of the loss and of features: 53 convolutions, each a sum of up to 4608 products that every engine
 * adds in its own order, ten times 53 sqrt(4608) 2^-24 = 2.1e-3.
 */
export const FORWARD_TOLERANCE = 10 * 53 * Math.sqrt(4608) * 2 ** -24;

/**
 * What rounding explains. Gradients jump where rounding takes a ReLU's input across zero,
 * and at random weights many lie close: with images changed by 1e-6 of their size, Thaw's own gradients of a step (batch 8,
 * 32x32) moved by 1.0e-2 of their length, and tfjs-cpu's differed from them by 1.1e-2. Five times that is allowed; a wrong
 * tap, mask or statistic shows as 1e-1 or more.
 * In mixed precision 139 filters, sums and outputs are each off by 2^-11 of their size at most: sqrt(139) 2^-11 = 6e-3 of
 * features. Of gradients, the ReLUs that flip are as many as the change is large, and each flips with a sign of its own, so
 * what they move grows with its root: sqrt(2^-11 / 1e-6) 1e-2 = 0.22, where 0.19 and 0.21 were measured (the stem's gamma,
 * batch 32); twice that is allowed.
 */
export function stepTolerance(tensor: string, precision: Precision = 'float32'): number {
  const isGradient = tensor.startsWith('gradient of ');
  if (precision === 'mixed') return isGradient ? 0.44 : FORWARD_TOLERANCE + Math.sqrt(139) * 2 ** -11;
  return isGradient ? 5e-2 : FORWARD_TOLERANCE;
}

/** Whether an engine can run a case: WebAssembly has no gradient of a convolution's filter. */
export const canRun = (engine: EngineName, { part }: StepCase): boolean =>
  engine !== 'tfjs-wasm' || typeof part === 'string';

/** Runs one case. @throws DisagreementError, before any time is taken, when an engine computes something else */
export async function benchStep(stepCase: StepCase, options: BenchStepOptions): Promise<StepRow[]> {
  const { against, adapter, imageSize, batchSize, seed, ceilings, precision } = options;
  const spec: StepSpec = { kind: 'step', part: stepCase.part, imageSize, batchSize, seed, precision };
  const work = workOfStep(spec);
  const peers = await startPeers(
    against.filter((one) => canRun(one, stepCase)),
    adapter,
  );
  try {
    const found = await compare(stepCase.name, spec, {
      ...options,
      peers,
      allowedOf: (tensor) => stepTolerance(tensor, precision),
    });
    return found.map((one) => ({
      ...one,
      case: stepCase.name,
      about: stepCase.about,
      imageSize,
      batchSize,
      imagesPerSecond: (1000 * batchSize) / one.milliseconds.median,
      floorMilliseconds: work && floorMilliseconds(work, ceilings),
    }));
  } finally {
    for (const peer of peers) peer.stop();
  }
}
