// Measures a machine by doing a little of the real work: the frozen trunk, steps of the head, steps of the thawed network.
import { allIndices } from '@thaw/data';
import {
  BackendRunner,
  extractFeatures,
  headFeatures,
  trainClassifier,
  type TrunkRunner,
  type TrunkWeights,
} from '@thaw/model';
import type { TrunkUse } from '../trunk/choose.ts';
import type { Trunk } from '../trunk/trunk.ts';
import type { OpenBackend } from './backend.ts';
import { buildClassifier } from './classifier.ts';
import type { Part } from './data.ts';
import type { Speed } from './demo-plan.ts';
import type { ExperimentSettings } from './experiment.ts';
import { DataSource } from './source.ts';

export interface MeasureRequest {
  readonly backend: OpenBackend;
  readonly weights: TrunkWeights;
  readonly trunk: Trunk;
  readonly train: Part;
  /** Images of all parts. */
  readonly images: number;
  readonly classes: number;
  readonly frozen: ExperimentSettings;
  /** Undefined where the backend cannot thaw. */
  readonly thawed: ExperimentSettings | undefined;
  readonly signal: AbortSignal;
}

/** Batches of each measurement; the first ones compile shaders and are not counted. */
const BATCHES = 5;
const WARM = 2;
/** Of the trunk alone, which threads may run several at a time. */
const TRUNK_BATCHES = 12;
const TRUNK_WARM = 4;

/** Images per second; each measurement takes a few batches. */
export async function measureSpeed(request: MeasureRequest): Promise<Speed> {
  const forward = await forwardSpeed(request);
  const head = await trainingSpeed(request, request.frozen, 40);
  const thawed = request.thawed && (await trainingSpeed(request, request.thawed, 1));
  return { ...forward, head, thawed };
}

/** The trunk on the device, and on what will run it. */
async function forwardSpeed({
  weights,
  trunk,
  train,
  images,
  classes,
  frozen,
  signal,
}: MeasureRequest): Promise<Pick<Speed, 'forward' | 'features'>> {
  const classifier = buildClassifier(weights, frozen, classes);
  try {
    const { batchSize, imageSize } = frozen;
    const source = sourceOf(train, classifier.network.variant.preprocessing, frozen, TRUNK_BATCHES);
    const speedOf = async (runner: TrunkRunner): Promise<number> => {
      const at: number[] = [];
      await extractFeatures(runner, source, { batchSize, signal, onProgress: () => at.push(performance.now()) });
      runner.dispose();
      return perSecond(at, TRUNK_WARM, batchSize);
    };
    let use: TrunkUse | undefined;
    const pass = headFeatures(classifier, imageSize);
    const features = await speedOf(trunk.runner(pass, { ahead: images, onUse: (found) => void (use = found) }));
    if (use?.imagesPerSecond) {
      const { device, wasm } = use.imagesPerSecond;
      return { forward: device, features: Math.max(device, wasm) };
    }
    return { forward: use?.engine === 'wasm' ? await speedOf(new BackendRunner(pass)) : features, features };
  } finally {
    classifier.dispose();
  }
}

async function trainingSpeed(
  { backend, weights, train, classes, signal }: MeasureRequest,
  settings: ExperimentSettings,
  epochs: number,
): Promise<number> {
  const classifier = buildClassifier(weights, settings, classes);
  try {
    const at: number[] = [];
    const source = sourceOf(train, classifier.network.variant.preprocessing, settings, epochs === 1 ? BATCHES : 1);
    const { learningRate, batchSize, imageSize, seed } = settings;
    await trainClassifier({
      classifier,
      train: source,
      imageSize,
      epochs,
      batchSize,
      seed,
      optimizer: { kind: 'adam', learningRate },
      signal,
      settle: async () => {
        await backend.settle();
        at.push(performance.now());
      },
    });
    return perSecond(at, Math.min(WARM, at.length - 2), batchSize);
  } finally {
    classifier.dispose();
  }
}

function sourceOf(
  { dataset, indices }: Part,
  preprocessing: DataSourcePreprocessing,
  { imageSize, batchSize }: ExperimentSettings,
  batches: number,
): DataSource {
  const few = indices.length === 0 ? allIndices(dataset.length) : indices;
  return new DataSource(dataset, few.subarray(0, batches * batchSize), { imageSize, preprocessing });
}

type DataSourcePreprocessing = ConstructorParameters<typeof DataSource>[2]['preprocessing'];

/** From the times at which batches ended, the first `warm` left out. */
function perSecond(at: readonly number[], warm: number, batchSize: number): number {
  const first = at[Math.max(0, warm - 1)] ?? 0;
  const last = at.at(-1) ?? 0;
  const batches = at.length - Math.max(1, warm);
  return (1000 * batches * batchSize) / Math.max(last - first, 1e-3);
}
