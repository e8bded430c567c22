// What a choice of settings is made by: the data, the device, the time. Gathered here, so that the rules can be pure.
import { countPerClass, typicalSide } from '@thaw/data';
import { extractFeatures, headFeatures, type TrunkWeights } from '@thaw/model';
import type { SomeSettings } from '../options/settings.ts';
import type { OpenBackend } from '../session/backend.ts';
import { buildClassifier } from '../session/classifier.ts';
import type { Part, RunData } from '../session/data.ts';
import { DataSource } from '../session/source.ts';
import type { TrunkUse } from '../trunk/choose.ts';
import type { Trunk } from '../trunk/trunk.ts';

export interface DataFacts {
  /** Images to learn from; those held out for validation are not among them. */
  readonly train: number;
  readonly validation: number;
  /** Whether the validation images were taken from the training images. */
  readonly isHeldOut: boolean;
  readonly test: number;
  /** Training images of each class. */
  readonly perClass: readonly number[];
  /** Median of the images' shorter sides as they lie, pixels; null where it cannot be told. */
  readonly side: number | null;
  /** Of each part, the sizes at which its features are kept from an earlier run: the trunk need not run on them again. */
  readonly kept: Readonly<Record<'train' | 'validation' | 'test', ReadonlySet<number>>>;
}

export interface DeviceFacts {
  readonly name: string;
  readonly isSoftware: boolean;
  /** Whether layers of the trunk can train. */
  readonly canThaw: boolean;
  /** Pixels of images that the frozen trunk gets through in a second; undefined where it was not measured. */
  readonly pixelsPerSecond: number | undefined;
  /** Of the largest tensor. */
  readonly maxTensorBytes: number;
}

/** Facts that are there without computing. @param keptOf the sizes at which a part's features are kept */
export async function dataFacts(
  { train, validation, test, classes }: RunData,
  keptOf: (part: Part) => Promise<ReadonlySet<number>>,
): Promise<DataFacts> {
  const kept = async (part: Part | undefined): Promise<ReadonlySet<number>> => (part ? keptOf(part) : new Set());
  return {
    train: train.indices.length,
    validation: validation?.indices.length ?? 0,
    isHeldOut: validation?.dataset === train.dataset,
    test: test?.indices.length ?? 0,
    perClass: [...countPerClass(train.dataset.labels, classes.length, train.indices)],
    side: await typicalSide(train.dataset, train.indices),
    kept: { train: await kept(train), validation: await kept(validation), test: await kept(test) },
  };
}

export interface ProbeRequest {
  readonly settings: SomeSettings & { readonly seed: number };
  readonly backend: OpenBackend;
  readonly data: RunData;
  readonly weights: TrunkWeights;
  readonly trunk: Trunk;
  readonly signal: AbortSignal;
}

/** Side of the images of the probe: in the middle of the sizes that are chosen among. */
const PROBE_SIDE = 96;
/** Batches: one that compiles, those that count. */
const PROBE_BATCHES = 3;

/** Runs a few images through the frozen trunk, by what will run it. @returns pixels per second */
export async function probeTrunk({ settings, backend, data, weights, trunk, signal }: ProbeRequest): Promise<number> {
  const { seed, precision } = settings;
  // A GPU is only busy with many images; a processor is with few.
  const batchSize = backend.info.isSoftware ? 4 : 64;
  const network = { thaw: 'none', batchNorm: 'keras', head: 'linear', imageSize: PROBE_SIDE, seed, precision } as const;
  const classifier = buildClassifier(weights, network, data.classes.length);
  try {
    const { dataset, indices } = data.train;
    const few = Int32Array.from({ length: PROBE_BATCHES * batchSize }, (_, i) => indices[i % indices.length] ?? 0);
    const { preprocessing } = classifier.network.variant;
    const source = new DataSource(dataset, few, { imageSize: PROBE_SIDE, preprocessing });
    const images = [data.train, data.validation, data.test].reduce((sum, part) => sum + (part?.indices.length ?? 0), 0);
    let use: TrunkUse | undefined;
    const pass = headFeatures(classifier, PROBE_SIDE);
    const runner = trunk.runner(pass, { ahead: images, onUse: (found) => void (use = found) });
    const at: number[] = [];
    try {
      await extractFeatures(runner, source, { batchSize, signal, onProgress: () => at.push(performance.now()) });
    } finally {
      runner.dispose();
    }
    const [first = 0] = at;
    const timed = (1000 * (at.length - 1) * batchSize) / Math.max((at.at(-1) ?? 0) - first, 1e-3);
    const measured = speedOf(use);
    return (measured ?? timed) * PROBE_SIDE ** 2;
  } finally {
    classifier.dispose();
  }
}

/** Of what runs the trunk, where that was compared. */
function speedOf(use: TrunkUse | undefined): number | undefined {
  return use?.imagesPerSecond && Math.max(use.imagesPerSecond.device, use.imagesPerSecond.wasm);
}
