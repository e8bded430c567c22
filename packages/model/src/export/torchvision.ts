/** Weights under torchvision's names, for PyTorch: `resnet50(num_classes=...).load_state_dict(...)`. */
import { describeTrunk, VARIANTS } from '../resnet50/index.ts';
import { torchvisionName, type SafetensorsInput, type WeightTensor } from '../weights/index.ts';
import { channelsFirst } from './channels-first.ts';
import { headLayers, variableOf, type TrainedClassifier } from './graph.ts';
import { halfBits } from './half.ts';

/**
 * What a PyTorch program must know beside the weights, one sentence each; none where torchvision's own resnet50 with its
 * own normalisation gives the same.
 */
export function torchvisionNotes(trained: TrainedClassifier): string[] {
  const { variant, pooling } = trained;
  const { strideOn, stemPool, epsilon, preprocessing } = VARIANTS[variant];
  const layers = headLayers(trained).length;
  return [
    ...(layers > 1 ? [`fc is an nn.Sequential of ${layers} Linear layers with a ReLU between each two.`] : []),
    ...(pooling === 'flatten'
      ? ['The head reads the last map flattened as height, width, channels, not its average.']
      : []),
    ...(strideOn === 'first-1x1' ? ["The stride of a stage's first block is on conv1 instead of conv2."] : []),
    ...(stemPool === 'same'
      ? ["The stem's max-pool pads as TensorFlow's SAME: the odd pixel at bottom and right."]
      : []),
    ...(epsilon === 1e-5 ? [] : [`Batch-norms add ${epsilon} to the variance.`]),
    ...(preprocessing === 'torchvision' ? [] : [`Images are preprocessed as for the ${preprocessing} weights.`]),
  ];
}

/**
 * Every variable under torchvision's name, in its layout. A head of one layer is `fc`; of more, `fc.0`, `fc.2`, ... A
 * convolution's bias, which torchvision's has not, goes into the running mean behind it.
 * @throws WeightsError when a variable is missing
 */
export function toTorchvision(trained: TrainedClassifier, { half }: { half: boolean }): Map<string, SafetensorsInput> {
  const variant = VARIANTS[trained.variant];
  const tensors = new Map<string, SafetensorsInput>();
  const put = (name: string, tensor: WeightTensor): void => {
    const { shape, data } = channelsFirst(tensor);
    tensors.set(name, half && shape.length > 1 ? { shape, data: halfBits(data), dtype: 'F16' } : { shape, data });
  };
  const { stem, blocks } = describeTrunk(variant, trained.architecture);
  const convs = [stem, ...blocks.flatMap((block) => [...block.convs, ...(block.shortcut ? [block.shortcut] : [])])];
  for (const { conv, bn } of convs) {
    put(torchvisionName(`${conv}/kernel`), variableOf(trained, `${conv}/kernel`));
    for (const variable of ['gamma', 'beta', 'moving_variance'] as const)
      put(torchvisionName(`${bn}/${variable}`), variableOf(trained, `${bn}/${variable}`));
    const mean = variableOf(trained, `${bn}/moving_mean`);
    const bias = variant.convBias ? variableOf(trained, `${conv}/bias`).data : undefined;
    const data = bias ? mean.data.map((value, c) => value - (bias[c] ?? 0)) : mean.data;
    put(torchvisionName(`${bn}/moving_mean`), { shape: mean.shape, data });
    // PyTorch's own count of batches, which a strict load_state_dict asks for.
    const counter = torchvisionName(`${bn}/moving_mean`).replace(/running_mean$/, 'num_batches_tracked');
    tensors.set(counter, { shape: [], data: BigInt64Array.of(0n) });
  }
  const layers = headLayers(trained);
  for (const [i, { kernel, bias }] of layers.entries()) {
    const name = layers.length === 1 ? 'fc' : `fc.${2 * i}`;
    put(`${name}.weight`, kernel);
    put(`${name}.bias`, bias);
  }
  return tensors;
}
