// Gradients of a step added up over the ranks of a group: in buckets that leave the device while the backward pass goes on
// (buckets.ts), in float32, or rounded to float16 on the way.
import { canCapture, emptyTensor, exchange, hasFloat16, layer, toFloat16, toFloat32, type Swap } from '@thaw/kernels';
import * as tf from '@tensorflow/tfjs-core';
import { StepWeight } from '../training/step-weight.ts';
import { BatchNormStatistics } from './batch-norm-statistics.ts';
import { BUCKET_BYTES, gradientBuckets } from './buckets.ts';
import type { Group } from './group.ts';

/** In which numbers gradients travel. */
export const GRADIENT_COMPRESSIONS = ['none', 'f16'] as const;

/** In which numbers gradients travel. */
export type GradientCompression = (typeof GRADIENT_COMPRESSIONS)[number];

/** Gradients by the names of their variables. */
export type Gradients = ReadonlyMap<string, tf.Tensor>;

/** To this many halves a tensor is laid out in an arena, at most (kernels/runtime/coalesce.ts). */
const GRANULE = 128;

/** Adds gradients up over a group, within captured steps or, where there are none, between a step's halves. */
export class GradientExchange {
  /** Of this rank in the step. */
  readonly weight = new StepWeight();
  /** Of batch-norms, where those are synchronised. */
  readonly statistics: BatchNormStatistics | undefined;
  #checked: Promise<void> | undefined;

  /**
   * @param bucketBytes of gradients, after which a message of them leaves
   * @param syncBatchNorm whether batch-norms in training see the batches of all ranks as one
   * @throws where gradients are to travel in float16, or batch-norms to be synchronised, on a device that cannot
   */
  constructor(
    /** Whose gradients. */
    readonly group: Group,
    /** In which numbers they travel. */
    readonly compression: GradientCompression = 'none',
    syncBatchNorm = false,
    private readonly bucketBytes: number = BUCKET_BYTES,
  ) {
    if (syncBatchNorm && !canCapture())
      throw new Error(
        `Synchronised batch-norms are computed within captured steps, and the '${tf.getBackend()}' backend has none.`,
      );
    this.statistics = syncBatchNorm ? new BatchNormStatistics(group, () => this.weight.isCounted) : undefined;
    if (compression === 'f16' && !hasFloat16())
      throw new Error(
        `gradient compression f16: rounding is done on the device, and this one (or the '${tf.getBackend()}' backend) has no float16; leave it out.`,
      );
  }

  /** Inside a captured step. @param gradients in the order of the forward pass @returns their sums over the ranks */
  add(gradients: Gradients): Gradients {
    return layer('all-reduce', () => {
      const names = [...gradients.keys()].reverse();
      const buckets = gradientBuckets(names, (name) => 4 * (gradients.get(name)?.size ?? 0), this.bucketBytes);
      return this.compression === 'f16' ? this.#addHalves(buckets, gradients) : this.#addWhole(buckets, gradients);
    });
  }

  #addWhole(buckets: readonly (readonly string[])[], gradients: Gradients): Gradients {
    const swap: Swap = async (given, result) => {
      await this.#check(given.byteLength);
      await this.group.sum(new Float32Array(given), new Float32Array(result));
    };
    const arrivals = buckets.map((names) => exchange(tensorsOf(names, gradients), swap));
    for (const arrive of arrivals) arrive();
    return gradients;
  }

  /**
   * Each rank adds up a part of each bucket, in float32, of what the others send it, and sends the sums to all: as many bytes as
   * a sum over a ring, at half the size.
   */
  #addHalves(buckets: readonly (readonly string[])[], gradients: Gradients): Gradients {
    const { size } = this.group;
    const ways = buckets.map((names) => {
      const halves = tensorsOf(names, gradients).map((gradient) => toFloat16(gradient));
      const numbers = halves.reduce((sum, half) => sum + GRANULE * Math.ceil(half.size / GRANULE), 0);
      const part = GRANULE * Math.ceil(numbers / size / GRANULE);
      const received = emptyTensor([size * part], 'float16');
      const arrive = exchange(halves, this.#scatter(2 * size * part), [received]);
      return { names, halves, part, received, arrive };
    });
    const gathered = ways.map(({ halves, part, received, arrive }) => {
      arrive();
      const parts = tf.reshape(toFloat32(received), [size, part]);
      return exchange([toFloat16(tf.sum(parts, 0))], this.#collect, halves);
    });
    const sums = new Map<string, tf.Tensor>();
    ways.forEach(({ names, halves }, i) => {
      gathered[i]?.();
      names.forEach((name, k) => {
        const half = halves[k];
        if (half) sums.set(name, toFloat32(half));
      });
    });
    return sums;
  }

  /** Each rank's part of the others' buckets. */
  #scatter(bytes: number): Swap {
    const padded = new Uint8Array(bytes);
    return async (given, result) => {
      await this.#check(given.byteLength);
      padded.set(new Uint8Array(given));
      new Uint8Array(result).set(await this.group.allToAll(padded));
    };
  }

  readonly #collect: Swap = async (given, result) => {
    const whole = new Uint8Array(result);
    let at = 0;
    for (const part of await this.group.gather(new Uint8Array(given))) {
      // The last parts may be padding alone.
      if (at < whole.length) whole.set(part.subarray(0, whole.length - at), at);
      at += part.length;
    }
  };

  /** Between the halves of a step that is not captured. @returns sums, kept: the caller's to dispose */
  async addOnHost(gradients: Gradients): Promise<Gradients> {
    const sums = new Map<string, tf.Tensor>();
    for (const [name, gradient] of gradients) {
      const values = Float32Array.from(await gradient.data<'float32'>());
      await this.group.sum(values);
      sums.set(name, tf.keep(tf.tensor(values, gradient.shape)));
    }
    return sums;
  }

  /**
   * Once: ranks whose devices lay gradients out differently would add up what does not belong together. All buckets wait for it,
   * or a later one could be sent before the first.
   */
  #check(bytes: number): Promise<void> {
    return (this.#checked ??= this.#compare(bytes));
  }

  async #compare(bytes: number): Promise<void> {
    const all = await this.group.gather(new Uint8Array(Float64Array.of(bytes).buffer));
    const sizes = all.map((one) => new Float64Array(one.slice().buffer)[0]);
    if (new Set(sizes).size > 1)
      throw new Error(
        `The ranks lay their gradients out differently (${sizes.join(', ')} bytes of the first bucket): their devices have other limits. Use devices of one kind.`,
      );
  }

  /** Frees its numbers. */
  dispose(): void {
    this.weight.dispose();
  }
}

const tensorsOf = (names: readonly string[], gradients: Gradients): tf.Tensor[] =>
  names.flatMap((name) => gradients.get(name) ?? []);
