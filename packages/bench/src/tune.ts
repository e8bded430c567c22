// thaw bench --tune: which tiling of a kernel's shaders is fastest on the device at hand, by bucket of shapes.
import { capture, type ThawBackend } from '@thaw/kernels';
import { resnet50Cases, type Conv2dShape } from '@thaw/kernels/cases';
import { candidates, convolutionBucket, isFlat, TUNED_KERNELS, type Choice, type Precision, type TunedKernel } from '@thaw/kernels/tuning'; // prettier-ignore
import { uniformNumbers } from '@thaw/model';
import * as tf from '@tensorflow/tfjs-core';
import { checkAgreement, DisagreementError, type Outputs } from './measure/agreement.ts';
import { kernelTolerance } from './measure/kernel-rows.ts';
import { spread } from './measure/statistics.ts';
import { kernelOperation, readAll } from './workloads/kernel.ts';

/** What `tune` searches. */
export interface TuneOptions {
  /** Image sizes, each with its batch. */
  readonly sizes: readonly {
    /** Height and width of the images, pixels. */
    readonly imageSize: number;
    /** Images in a batch. */
    readonly batchSize: number;
  }[];
  /** Of the inputs and of the order in which tilings are tried. */
  readonly seed: number;
  /** In which x, w, dy and their like are stored; each has buckets of its own. Default float32. */
  readonly precision?: Precision;
  /** For the search, all buckets together. */
  readonly seconds: number;
  /** Names of the buckets to search; all where it is not given. */
  readonly wanted?: ((name: string) => boolean) | undefined;
}

/** What was found for one bucket. */
export interface TunedBucket {
  /** The kernel. */
  readonly kernel: TunedKernel;
  /** The bucket of shapes, as `convolutionBucket` names it. */
  readonly bucket: string;
  /** Milliseconds of the tiling that the device has without a table. */
  readonly defaultMilliseconds: number;
  /** Of the winner; the same where nothing beat the default. */
  readonly milliseconds: number;
  /** Undefined where nothing beat the default. */
  readonly winner: Choice | undefined;
  /** Tilings whose time was taken. */
  readonly tried: number;
  /** Tilings that the device allows. */
  readonly candidates: number;
  /** Tilings that computed something else, or that the device refused. */
  readonly refused: readonly string[];
}

/** Less is within the noise: the default stays. */
const GAIN = 1.03;
const FINALISTS = 3;
const FINAL_ROUNDS = 5;
/** Device time of one sample, well above that of a submission. */
const SAMPLE_MS = 20;
const MOST_REPEATS = 64;

/**
 * Tries tilings in random order within the time, each verified against the plain shader with its own constants (which the
 * tests hold against float64) before its time is taken; the best then run against the default in turns.
 * The backend is left with the winners chosen.
 * @returns also how many buckets the time did not reach
 */
export async function tune(
  thaw: ThawBackend,
  { sizes, seed, precision = 'float32', seconds, wanted = () => true }: TuneOptions,
  onBucket: (found: TunedBucket) => void,
): Promise<{
  /** What was found, bucket by bucket. */
  found: TunedBucket[];
  /** Buckets that the time did not reach. */
  left: number;
}> {
  const buckets = bucketsOf(sizes, precision).filter(({ kernel, bucket }) => wanted(`${kernel}, ${bucket}`));
  const uniform = uniformNumbers(seed);
  const end = performance.now() + 1000 * seconds;
  const found: TunedBucket[] = [];
  for (const [i, { kernel, bucket, shape }] of buckets.entries()) {
    if (performance.now() > end) break;
    const share = (end - performance.now()) / (buckets.length - i);
    const all = candidates(thaw.gpu.kind, thaw.gpu.limits, precision, isFlat(kernel, shape));
    const search = new BucketSearch(thaw, kernel, bucket, shape, { precision, seed });
    try {
      const one = await search.run(shuffled(all, uniform), share);
      found.push(one);
      onBucket(one);
    } finally {
      search.dispose();
    }
  }
  return { found, left: buckets.length - found.length };
}

/** The first shape of each bucket, in the layers' order. */
function bucketsOf(
  sizes: TuneOptions['sizes'],
  precision: Precision,
): { kernel: TunedKernel; bucket: string; shape: Conv2dShape }[] {
  const shapes = sizes.flatMap(({ imageSize, batchSize }) => resnet50Cases(imageSize, batchSize));
  const buckets = new Map(shapes.toReversed().map(({ shape }) => [convolutionBucket(shape, precision), shape]));
  return TUNED_KERNELS.flatMap((kernel) =>
    [...buckets].toReversed().map(([bucket, shape]) => ({ kernel, bucket, shape })),
  );
}

function shuffled<T>(list: readonly T[], uniform: () => number): T[] {
  return list
    .map((value) => ({ value, at: uniform() }))
    .sort((a, b) => a.at - b.at)
    .map(({ value }) => value);
}

class BucketSearch {
  readonly #operation: ReturnType<typeof kernelOperation>;
  readonly #refused: string[] = [];

  constructor(
    private readonly thaw: ThawBackend,
    private readonly kernel: TunedKernel,
    private readonly bucket: string,
    private readonly shape: Conv2dShape,
    private readonly inputs: { readonly precision: Precision; readonly seed: number },
  ) {
    this.#operation = kernelOperation({ work: { op: kernel, shape }, ...inputs });
  }

  dispose(): void {
    this.#operation.dispose();
  }

  async run(list: readonly Choice[], milliseconds: number): Promise<TunedBucket> {
    const end = performance.now() + milliseconds;
    const plain = await this.#with({ variant: 'direct', tuning: {} }, () => readAll(this.#operation.run()));
    const ofDefault = await this.#with(undefined, () => this.#sample());
    const times: { choice: Choice; milliseconds: number }[] = [];
    let tried = 0;
    for (const choice of list) {
      if (performance.now() > end) break;
      tried++;
      const time = await this.#with(choice, () => this.#verified(choice, plain));
      if (time !== undefined) times.push({ choice, milliseconds: time });
    }
    const finalists = times.sort((a, b) => a.milliseconds - b.milliseconds).slice(0, FINALISTS);
    const worthwhile = finalists.filter((one) => one.milliseconds * GAIN < ofDefault);
    const [first, ...rest] = await this.#final([undefined, ...worthwhile.map(({ choice }) => choice)]);
    const best = rest.toSorted((a, b) => a.milliseconds - b.milliseconds)[0];
    const before = first?.milliseconds ?? ofDefault;
    const winner = best && best.milliseconds * GAIN < before ? best : undefined;
    this.thaw.gpu.choose(this.kernel, this.bucket, winner?.choice);
    return {
      kernel: this.kernel,
      bucket: this.bucket,
      defaultMilliseconds: before,
      milliseconds: winner?.milliseconds ?? before,
      winner: winner?.choice,
      tried,
      candidates: list.length,
      refused: this.#refused,
    };
  }

  /** Runs `work` with the bucket's tiling set. */
  async #with<T>(choice: Choice | undefined, work: () => Promise<T>): Promise<T> {
    this.thaw.gpu.choose(this.kernel, this.bucket, choice);
    try {
      return await work();
    } finally {
      this.thaw.gpu.choose(this.kernel, this.bucket, undefined);
    }
  }

  /** Milliseconds of a tiling that computes what the plain shader does; undefined of one that does not. */
  async #verified(choice: Choice, plain: Outputs): Promise<number | undefined> {
    const name = `${choice.variant} ${JSON.stringify(choice.tuning)}`;
    try {
      const outputs = await readAll(this.#operation.run());
      const allowedOf = kernelTolerance({ op: this.kernel, shape: this.shape }, this.inputs.precision);
      checkAgreement(this.bucket, [name, outputs], ['the plain shader', plain], allowedOf);
      return await this.#sample();
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      if (!(error instanceof DisagreementError) && error.name === 'DeviceLostError') throw error;
      this.#refused.push(`${name}: ${error.message}`);
      return undefined;
    }
  }

  /** Milliseconds of one run, from a submission of as many as take a while. */
  async #sample(): Promise<number> {
    let repeats = 1;
    for (;;) {
      const milliseconds = await this.#timed(repeats);
      if (milliseconds >= SAMPLE_MS || repeats >= MOST_REPEATS) return milliseconds / repeats;
      repeats = Math.min(
        MOST_REPEATS,
        Math.max(2 * repeats, Math.ceil((repeats * SAMPLE_MS) / Math.max(milliseconds, 0.1))),
      );
    }
  }

  async #timed(repeats: number): Promise<number> {
    const step = await capture(() => {
      for (let i = 0; i < repeats; i++) tf.dispose(this.#operation.run());
      return [];
    });
    try {
      step.replay();
      await this.thaw.settle(0);
      const start = performance.now();
      step.replay();
      await this.thaw.settle(0);
      return performance.now() - start;
    } finally {
      step.dispose();
    }
  }

  /** Medians of rounds in which each has its turn. */
  async #final(choices: readonly (Choice | undefined)[]): Promise<{ choice: Choice; milliseconds: number }[]> {
    const samples = choices.map((): number[] => []);
    for (let round = 0; round < (choices.length > 1 ? FINAL_ROUNDS : 0); round++)
      for (const [i, choice] of choices.entries()) samples[i]?.push(await this.#with(choice, () => this.#sample()));
    return samples.flatMap((list, i) => {
      if (list.length === 0) return [];
      return [{ choice: choices[i] ?? { variant: 'direct', tuning: {} }, milliseconds: spread(list).median }];
    });
  }
}
