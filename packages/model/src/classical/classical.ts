// A classical classifier as a whole: a projection, where there is one, and what names classes by what comes out of it; fitted,
// written to a file and read again. A logistic regression is a linear head, and kept as one.
import type { Features } from '../training/types.ts';
import { readSafetensors, toFloat32, toInt32, writeSafetensors, type SafetensorsInput } from '../weights/index.ts';
import { TreeEnsemble } from './ensemble.ts';
import { fitBoosting, fitForest, fitTree } from './fit-trees.ts';
import { NearestNeighbours } from './knn.ts';
import { project, projectionTensors, type Projection } from './pca.ts';
import { ClassicalError, type ClassifierKind, type FeatureClassifier } from './types.ts';

/** Kinds that are no head. */
export type HeadlessKind = Exclude<ClassifierKind, 'logistic'>;

/** How one is fitted. */
export interface ClassicalOptions {
  /** Which to fit. */
  readonly kind: HeadlessKind;
  /** Number of classes. */
  readonly classes: number;
  /** Of knn. */
  readonly neighbours: number;
  /** Of a forest; of boosting the rounds. */
  readonly trees: number;
  /** Splits from a root to a leaf at most. */
  readonly depth: number;
  /** Of a forest's and boosting's draws. */
  readonly seed: number;
  /** Called with the trees or rounds done, and of all. */
  readonly onProgress?: ((done: number, total: number) => void | Promise<void>) | undefined;
}

/** Projects, where it has a projection, and classifies. */
export class ClassicalClassifier implements FeatureClassifier {
  readonly inputs: number;
  readonly classes: number;

  constructor(
    /** Which it is. */
    readonly kind: HeadlessKind,
    private readonly projection: Projection | undefined,
    private readonly scorer: TreeEnsemble | NearestNeighbours,
    /** Of knn; kept in the file. */
    private readonly neighbours: number,
  ) {
    this.inputs = projection?.inputs ?? scorer.inputs;
    this.classes = scorer.classes;
  }

  async probabilities(values: Float32Array, size: number): Promise<Float32Array> {
    return this.scorer.probabilities(this.projection ? await project(this.projection, values) : values, size);
  }

  /** A safetensors file that `readClassical` reads. */
  encode(): Uint8Array {
    const { kind, inputs, classes, neighbours } = this;
    const tensors = new Map<string, SafetensorsInput>([
      ...this.scorer.tensors(),
      ...(this.projection ? projectionTensors(this.projection) : []),
    ]);
    return writeSafetensors(tensors, { thaw: JSON.stringify({ kind, inputs, classes, neighbours }) });
  }

  dispose(): void {
    this.scorer.dispose();
  }
}

/** Fits one on the current backend. @param projection of the features, where they are projected first @throws ClassicalError */
export async function fitClassical(
  features: Features,
  { kind, neighbours, ...options }: ClassicalOptions,
  projection?: Projection,
): Promise<ClassicalClassifier> {
  const projected = await projectFeatures(features, projection);
  return new ClassicalClassifier(kind, projection, await fitScorer(), neighbours);

  async function fitScorer(): Promise<TreeEnsemble | NearestNeighbours> {
    switch (kind) {
      case 'tree':
        return new TreeEnsemble(fitTree(projected, options));
      case 'forest':
        return new TreeEnsemble(await fitForest(projected, options));
      case 'boosting':
        return new TreeEnsemble(await fitBoosting(projected, options));
      case 'knn':
        return new NearestNeighbours(projected, options.classes, neighbours);
    }
  }
}

/** Features through a projection; as they are without one. */
export async function projectFeatures(features: Features, projection: Projection | undefined): Promise<Features> {
  if (!projection) return features;
  return { ...features, width: projection.outputs, values: await project(projection, features.values) };
}

/**
 * Reads what `encode` wrote.
 * @param label how messages call the file
 * @param wanted what it must read and name
 * @throws ClassicalError where it is damaged or does something else, SafetensorsError on a damaged file
 */
export function readClassical(
  file: Uint8Array,
  label: string,
  wanted: Pick<FeatureClassifier, 'inputs' | 'classes'>,
): ClassicalClassifier {
  const { tensors, metadata } = readSafetensors(file, label);
  const fail = (reason: string): never => {
    throw new ClassicalError(`${label}: ${reason}`);
  };
  const { kind, inputs, classes, neighbours } = readHeader(metadata['thaw'], fail);
  if (classes !== wanted.classes) fail(`it names ${classes} classes, the run has ${wanted.classes}.`);
  if (inputs !== wanted.inputs) fail(`it reads ${inputs} features, the run's trunk gives ${wanted.inputs}.`);
  const whole = (name: string): Int32Array => {
    const tensor = tensors.get(name);
    return (tensor && toInt32(tensor)) ?? fail(`'${name}' is missing or not of whole numbers.`);
  };
  const real = (name: string): Float32Array => {
    const tensor = tensors.get(name);
    const values = (tensor && toFloat32(tensor)) ?? fail(`'${name}' is missing or not of real numbers.`);
    return values.every(Number.isFinite) ? values : fail(`'${name}' has numbers that are not finite.`);
  };
  const projection = tensors.has('pca/mean') ? readProjection() : undefined;
  const width = projection?.outputs ?? inputs;
  try {
    return new ClassicalClassifier(kind, projection, kind === 'knn' ? readNeighbours() : readTrees(kind), neighbours);
  } catch (error) {
    return error instanceof ClassicalError && !error.message.startsWith(label) ? fail(error.message) : raise(error);
  }

  function readProjection(): Projection {
    const [mean, components, explained] = [real('pca/mean'), real('pca/components'), real('pca/explained')];
    const outputs = explained.length;
    if (mean.length !== inputs || components.length !== outputs * inputs) fail('its projection does not fit together.');
    return { inputs, outputs, mean, components, explained };
  }

  function readNeighbours(): NearestNeighbours {
    const [values, labels] = [real('features'), whole('labels')];
    if (values.length !== labels.length * width) fail(`${values.length} features for ${labels.length} images.`);
    return new NearestNeighbours({ values, labels, width }, classes, neighbours);
  }

  function readTrees(of: Exclude<HeadlessKind, 'knn'>): TreeEnsemble {
    return new TreeEnsemble({
      kind: of === 'boosting' ? 'boosted' : 'mean',
      inputs: width,
      classes,
      roots: whole('roots'),
      column: whole('column'),
      threshold: real('threshold'),
      left: whole('left'),
      value: real('value'),
      prior: real('prior'),
    });
  }
}

const raise = (error: unknown): never => {
  throw error;
};

interface Header {
  readonly kind: HeadlessKind;
  readonly inputs: number;
  readonly classes: number;
  readonly neighbours: number;
}

function readHeader(text: string | undefined, fail: (reason: string) => never): Header {
  let header: unknown;
  try {
    header = JSON.parse(text ?? '');
  } catch {
    return fail("no classifier of Thaw (its metadata has no 'thaw').");
  }
  return isHeader(header) ? header : fail('what it says of itself cannot be read.');
}

function isHeader(value: unknown): value is Header {
  if (typeof value !== 'object' || value === null) return false;
  const { kind, inputs, classes, neighbours } = value as Partial<Record<keyof Header, unknown>>;
  const kinds: readonly HeadlessKind[] = ['tree', 'forest', 'boosting', 'knn'];
  return kinds.some((one) => one === kind) && [inputs, classes, neighbours].every((one) => Number.isSafeInteger(one));
}
