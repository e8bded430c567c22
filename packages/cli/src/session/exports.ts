// A run's classifier in the files of other programs.
import { join } from 'node:path';
import { normalisationOf } from '@thaw/data';
import { parseHeadSpec, VARIANTS, writeSafetensors, type TrunkWeights } from '@thaw/model';
import { inferenceGraph, toLayersModel, toOnnx, toTorchvision, torchvisionNotes, WEIGHTS_FILE, type TrainedClassifier } from '@thaw/model/export'; // prettier-ignore
import { toKerasH5 } from '@thaw/model/node';
import type { ExportFormat } from '../options/settings.ts';
import type { RunConfig } from '../runs/config.ts';
import { readRunVariables } from './classifier.ts';

export interface ExportedFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

export interface Exported {
  readonly files: readonly ExportedFile[];
  /** How to load it, as lines of a program. */
  readonly usage: readonly string[];
  /** What a program must see to by itself. */
  readonly notes: readonly string[];
}

export interface ExportOptions {
  readonly format: ExportFormat;
  readonly fold: boolean;
  readonly half: boolean;
  /** The file; of tfjs the folder. */
  readonly path: string;
}

/** Name of the file, or of the folder of tfjs, in a run folder. */
export const EXPORT_NAME: Readonly<Record<ExportFormat, string>> = {
  safetensors: 'model.safetensors',
  onnx: 'model.onnx',
  tfjs: 'tfjs',
  keras: 'model.weights.h5',
};

/** Formats that hold the whole computation, from pixels to probabilities; the others hold weights alone. */
export const isWholeModel = (format: ExportFormat): boolean => format === 'onnx' || format === 'tfjs';

/** All variables of a run's network, and how its images are prepared. @throws CommandError where the checkpoint is missing */
export async function trainedClassifier(
  folder: string,
  config: RunConfig,
  weights: TrunkWeights,
  which: 'best' | 'last',
  onNote: (note: string) => void,
): Promise<TrainedClassifier> {
  const variables = await readRunVariables(folder, config, weights, which, onNote);
  const tensors = new Map(weights.tensors);
  for (const [name, { shape, data }] of variables) tensors.set(name, { shape: [...shape], data });
  return {
    variant: weights.variant,
    imageSize: config.network.imageSize,
    classes: config.data.classes,
    tensors,
    // As Classifier pools: the article's head reads the whole map.
    pooling: parseHeadSpec(config.network.head) === 'article' ? 'flatten' : 'average',
    normalisation: normalisationOf(VARIANTS[weights.variant].preprocessing),
  };
}

export async function exportClassifier(trained: TrainedClassifier, options: ExportOptions): Promise<Exported> {
  const { format, fold, half, path } = options;
  const { classes, imageSize, variant } = trained;
  const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
  switch (format) {
    case 'onnx':
      return {
        files: [{ path, bytes: toOnnx(inferenceGraph(trained, { fold }), { half }) }],
        usage: [
          `session = onnxruntime.InferenceSession("${path}")`,
          `images: float32 [batch, ${imageSize}, ${imageSize}, 3], RGB of 0 to 255; outputs: logits, probabilities`,
        ],
        notes: [],
      };
    case 'tfjs': {
      const { json, weights } = toLayersModel(inferenceGraph(trained, { fold }), { half });
      return {
        files: [
          { path: join(path, WEIGHTS_FILE), bytes: weights },
          { path: join(path, 'model.json'), bytes: encode(json) },
        ],
        usage: [
          `model = await tf.loadLayersModel('.../model.json')`,
          `images: [batch, ${imageSize}, ${imageSize}, 3], RGB of 0 to 255; output: probabilities`,
        ],
        notes: [],
      };
    }
    case 'safetensors': {
      const layers = [...trained.tensors.keys()].filter((name) => /^head\/.*\/kernel$/.test(name)).length;
      const metadata = { format: 'pt', architecture: 'resnet50', classes: JSON.stringify(classes) };
      return {
        files: [{ path, bytes: writeSafetensors(toTorchvision(trained, { half }), metadata) }],
        usage: [
          `network = torchvision.models.resnet50(num_classes=${classes.length})`,
          ...(layers > 1 ? ['network.fc = torch.nn.Sequential(...)'] : []),
          `network.load_state_dict(safetensors.torch.load_file("${path}"))`,
        ],
        notes: torchvisionNotes(trained),
      };
    }
    case 'keras':
      return {
        files: [{ path, bytes: await toKerasH5(trained) }],
        usage: [
          `network = keras.applications.ResNet50(include_top=False, input_shape=(${imageSize}, ${imageSize}, 3), weights=None)`,
          `... the head's Dense layers named head_dense_0, ..., then: model.load_weights("${path}", by_name=True)`,
        ],
        notes:
          variant === 'keras'
            ? []
            : [`The run began with ${variant} weights, whose strides and padding are not those of keras.applications.`],
      };
    default:
      throw new Error(`unknown format ${String(format satisfies never)}`);
  }
}
