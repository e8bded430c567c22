// thaw bench step --export-step: one step as a file, from weights and images to loss and gradients, so that another program
// can take the same step and compare. bench/pytorch_step.py --check does.
import { torchvisionName, writeSafetensors, type SafetensorsInput } from '@thaw/model';
import type { Engine } from './engines/engine.ts';
import { stepWorkload, type StepCase, type StepSpec } from './workloads/step.ts';

/**
 * A safetensors file of the variables before the step, under PyTorch's names but in TensorFlow's layouts (HWIO and
 * [in, out]), `images` [batch, height, width, 3] or feature vectors [batch, inputs], `labels` [batch]; and of what the step
 * gave: `loss` and `gradient of <variable>` of some variables, or `features`.
 */
export async function exportStep(
  engine: Engine,
  { name, part }: StepCase,
  size: Pick<StepSpec, 'imageSize' | 'batchSize' | 'seed'>,
): Promise<Uint8Array> {
  const workload = await stepWorkload(engine, { kind: 'step', part, ...size });
  try {
    const tensors = new Map<string, SafetensorsInput>();
    const given = await workload.inputs();
    for (const [key, tensor] of given) tensors.set(pytorchName(key), tensor);
    for (const [key, data] of Object.entries(await workload.verify())) {
      const of = key.replace(/^gradient of /, '');
      const shape = given.get(of)?.shape ?? (data.length === 1 ? [] : [size.batchSize, data.length / size.batchSize]);
      tensors.set(of === key ? key : `gradient of ${pytorchName(of)}`, { shape, data });
    }
    const { imageSize, batchSize } = size;
    return writeSafetensors(tensors, { case: name, imageSize: String(imageSize), batchSize: String(batchSize) });
  } finally {
    await workload.close();
  }
}

/** `conv2_block1_1_conv/kernel` is `trunk.layer1.0.conv1.weight`; the head's dense layers have a ReLU between them. */
function pytorchName(name: string): string {
  const dense = /^head\/dense_(\d+)\/(kernel|bias)$/.exec(name);
  if (dense) return `head.${2 * Number(dense[1])}.${dense[2] === 'kernel' ? 'weight' : 'bias'}`;
  return name.includes('/') ? `trunk.${torchvisionName(name)}` : name;
}
