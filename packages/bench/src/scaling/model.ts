// How long a training step takes on N ranks, from what one rank computes and what links carry.
//
// A bucket of S bytes is added up over a ring in
//   2 (N - 1) / N  S / B  +  2 (N - 1) latency
// (Patarasuk and Yuan, "Bandwidth optimal all-reduce algorithms for clusters of workstations", 2009), on each rank at the same
// time, and each rank adds up (N - 1) / N of it on the host on the way (Thakur, Rabenseifner and Gropp, "Optimization of
// collective communication operations in MPICH", 2005, count the same). Around it a bucket goes from the device to the host, where MPI reads it, and back. The device, the link and the host
// each work off what they are given in its order, as kernels/runtime/replay.ts and model/parallel/gradient-exchange.ts do:
// a bucket leaves between the dispatches of the backward pass, which wait for the copy; what comes back is copied into the
// device's queue by the host, and reaches the device behind all of the backward pass; then comes the update.
import type { GradientCompression } from '@thaw/model';
import type { StepGradients } from './gradients.ts';

/** What joins the ranks. */
export interface Link {
  /** Of one rank, each way. */
  readonly bytesPerSecond: number;
  /** Of a message, from the program that sends it to the one that has it. */
  readonly latencySeconds: number;
}

/** How gradients pass between device and link. */
export interface Staging {
  /** Between device and host, each way. */
  readonly deviceBytesPerSecond: number;
  /** Of a copy in the host's memory, counted once, and of additions there. */
  readonly hostBytesPerSecond: number;
}

/** Of which steps in which job. */
export interface ScalingModel {
  /** Of the step. */
  readonly gradients: StepGradients;
  /** Of the step on one rank that exchanges nothing. */
  readonly computeSeconds: number;
  /** Processes, at least 1. */
  readonly ranks: number;
  /** Between them. */
  readonly link: Link;
  /** On each of them. */
  readonly staging: Staging;
  /** In which numbers gradients travel. Default none. */
  readonly compression?: GradientCompression;
  /** Whether buckets leave during the backward pass. Default true; false: all at its end. */
  readonly overlap?: boolean;
  /** Messages one after the other: 2 (N - 1) around a ring, or 2 log2 N by halving and doubling. Default ring. */
  readonly algorithm?: Algorithm;
}

/** How MPI adds up; both move the same bytes. */
export const ALGORITHMS = ['ring', 'halving'] as const;
/** How MPI adds up. */
export type Algorithm = (typeof ALGORITHMS)[number];

/** What a step comes to. */
export interface ScalingPrediction {
  /** From one step's end to the next one's. */
  readonly stepSeconds: number;
  /** Compute over step: the share of N times one rank's images a second. */
  readonly efficiency: number;
  /** In which MPI is busy. */
  readonly linkSeconds: number;
  /** In which the device waits for its own copies to and from the host, or they hold its queue. */
  readonly stagingSeconds: number;
}

/** Seconds in which every rank has the sum of everyone's `bytes`. */
export function allReduceSeconds(bytes: number, ranks: number, link: Link, algorithm: Algorithm = 'ring'): number {
  return 2 * partsSeconds(bytes, ranks, link, algorithm);
}

/** Half of an all-reduce: everyone's parts to the rank that they are for, or everyone's part to all. */
function partsSeconds(bytes: number, ranks: number, link: Link, algorithm: Algorithm): number {
  const messages = algorithm === 'ring' ? ranks - 1 : Math.ceil(Math.log2(ranks));
  return (((ranks - 1) / ranks) * bytes) / link.bytesPerSecond + messages * link.latencySeconds;
}

/** Works off what it is given, one after the other. */
class Worker {
  #free = 0;
  busy = 0;

  /** @returns when it is done */
  do(seconds: number, earliest: number): number {
    this.busy += seconds;
    return (this.#free = Math.max(this.#free, earliest) + seconds);
  }
}

/** The step's time. A single rank exchanges nothing. */
export function predictScaling(model: ScalingModel): ScalingPrediction {
  const { computeSeconds, ranks, gradients, overlap = true } = model;
  if (ranks === 1) return { stepSeconds: computeSeconds, efficiency: 1, linkSeconds: 0, stagingSeconds: 0 };
  const { backwardEnd } = gradients;
  const buckets = overlap
    ? gradients.buckets
    : [{ bytes: gradients.buckets.reduce((sum, { bytes }) => sum + bytes, 0), readyAt: backwardEnd }];
  const resources = { device: new Worker(), link: new Worker(), host: new Worker() };
  const { device, link } = resources;
  let computed = 0;
  const compute = (share: number): void => {
    device.do(Math.max(0, share - computed) * computeSeconds, 0);
    computed = Math.max(computed, share);
  };
  const computeBusy = (): number => computed * computeSeconds;
  const exchange = model.compression === 'f16' ? halves(model, resources) : whole(model, resources);
  const left = buckets.map(({ bytes, readyAt }) => {
    compute(readyAt);
    return exchange.leave(bytes);
  });
  compute(backwardEnd);
  exchange.arrive(left);
  const stagingSeconds = device.busy - computeBusy();
  const stepSeconds = device.do((1 - computed) * computeSeconds, 0);
  return { stepSeconds, efficiency: computeSeconds / stepSeconds, linkSeconds: link.busy, stagingSeconds };
}

interface Resources {
  readonly device: Worker;
  readonly link: Worker;
  readonly host: Worker;
}

/** A bucket on its way. */
interface Travelling {
  readonly bytes: number;
  /** When the link is done with it. */
  readonly swapped: number;
}

interface Way {
  leave(bytes: number): Travelling;
  arrive(buckets: readonly Travelling[]): void;
}

/** In float32: device to host, MPI's all-reduce out of the mapped buffer into another, a copy into the queue, host to device. */
function whole({ ranks, link: of, staging, algorithm }: ScalingModel, { device, link, host }: Resources): Way {
  const { deviceBytesPerSecond, hostBytesPerSecond } = staging;
  return {
    leave(bytes) {
      const mapped = device.do(bytes / deviceBytesPerSecond, 0);
      const added = ((ranks - 1) / ranks) * (bytes / hostBytesPerSecond);
      return { bytes, swapped: link.do(allReduceSeconds(bytes, ranks, of, algorithm) + added, mapped) };
    },
    arrive(buckets) {
      for (const { bytes, swapped } of buckets)
        device.do(bytes / deviceBytesPerSecond, host.do(bytes / hostBytesPerSecond, swapped));
    },
  };
}

/**
 * In float16: half the bytes, but each rank adds up its part on the device, so a bucket passes between device and host twice:
 * parts go to the rank that they are for during the backward pass, and their sums to all behind it. The host copies what it
 * sends into a padded buffer, and what it received out of MPI's.
 */
function halves(
  { ranks, link: of, staging, algorithm = 'ring' }: ScalingModel,
  { device, link, host }: Resources,
): Way {
  const { deviceBytesPerSecond, hostBytesPerSecond } = staging;
  const way = (bytes: number): number => partsSeconds(bytes, ranks, of, algorithm);
  return {
    leave(whole) {
      const bytes = whole / 2;
      const mapped = device.do(bytes / deviceBytesPerSecond, 0);
      const padded = host.do(bytes / hostBytesPerSecond, mapped);
      const received = link.do(way(bytes), padded);
      return { bytes, swapped: host.do(bytes / hostBytesPerSecond, received) };
    },
    arrive(buckets) {
      const back = buckets.map(({ bytes, swapped }) => {
        device.do(bytes / deviceBytesPerSecond, host.do(bytes / hostBytesPerSecond, swapped));
        const mapped = device.do(bytes / ranks / deviceBytesPerSecond, 0);
        const gathered = link.do(way(bytes), mapped);
        return { bytes, gathered };
      });
      for (const { bytes, gathered } of back)
        device.do(bytes / deviceBytesPerSecond, host.do((2 * bytes) / hostBytesPerSecond, gathered));
    },
  };
}
