/** Every kernel of the backend: adding one is a folder and a line here. */
import type { KernelConfig } from '@tensorflow/tfjs-core';
import { batchNormKernels } from './batch-norm-train/batch-norm-train.kernel.ts';
import { batchNormSyncKernels } from './batch-norm-sync/batch-norm-sync.kernel.ts';
import { conv2dKernels } from './conv2d/conv2d.kernel.ts';
import { matMulKernels } from './mat-mul/mat-mul.kernel.ts';
import { batchNormGradKernels } from './batch-norm-train-backward/batch-norm-train-backward.kernel.ts';
import { reluGradKernels } from './relu-grad/relu-grad.kernel.ts';
import { scaleShiftKernels } from './scale-shift/scale-shift.kernel.ts';
import { softmaxCrossEntropyKernels } from './softmax-cross-entropy/softmax-cross-entropy.kernel.ts';
import { globalAveragePoolKernels } from './global-average-pool/global-average-pool.kernel.ts';
import { maxPoolKernels } from './max-pool/max-pool.kernel.ts';
import { lossScaleKernels } from './loss-scale/loss-scale.kernel.ts';
import { optimizerKernels } from './optimizers/optimizers.kernel.ts';
import { dropoutKernels } from './dropout/dropout.kernel.ts';
import { elementwiseKernels } from './elementwise/elementwise.kernel.ts';
import { reduceKernels } from './reduce/reduce.kernel.ts';
import { transformKernels } from './transform/transform.kernel.ts';
import { denseKernels } from './dense/dense.kernel.ts';
import { blockKernels } from './transform/blocks.kernel.ts';
import { gatherKernels } from './gather/gather.kernel.ts';
import { scatterKernels } from './scatter/scatter.kernel.ts';
import { searchKernels } from './search/search.kernel.ts';
import { scanKernels } from './scan/scan.kernel.ts';
import { lrnKernels } from './lrn/lrn.kernel.ts';
import { fftKernels } from './fft/fft.kernel.ts';
import { einsumKernels } from './einsum/einsum.kernel.ts';
import { directConvKernels } from './direct-conv/direct-conv.kernel.ts';
import { pool3dKernels } from './pool3d/pool3d.kernel.ts';
import { dilation2dKernels } from './dilation2d/dilation2d.kernel.ts';
import { resizeKernels } from './image/resize.kernel.ts';
import { imageKernels } from './image/image.kernel.ts';
import { hostKernels } from './host.ts';
import { precisionKernels } from './precision/precision.kernel.ts';
import { imageViewsKernels } from './image-views/image-views.kernel.ts';
import { avgPoolKernels } from './avg-pool/avg-pool.kernel.ts';

export const kernels: readonly KernelConfig[] = [
  ...elementwiseKernels,
  ...reduceKernels,
  ...transformKernels,
  ...blockKernels,
  ...gatherKernels,
  ...scatterKernels,
  ...searchKernels,
  ...scanKernels,
  ...lrnKernels,
  ...fftKernels,
  ...einsumKernels,
  ...directConvKernels,
  ...pool3dKernels,
  ...dilation2dKernels,
  ...resizeKernels,
  ...imageKernels,
  ...hostKernels,
  ...conv2dKernels,
  ...matMulKernels,
  ...batchNormKernels,
  ...batchNormGradKernels,
  ...batchNormSyncKernels,
  ...reluGradKernels,
  ...scaleShiftKernels,
  ...softmaxCrossEntropyKernels,
  ...globalAveragePoolKernels,
  ...maxPoolKernels,
  ...optimizerKernels,
  ...lossScaleKernels,
  ...dropoutKernels,
  ...imageViewsKernels,
  ...avgPoolKernels,
  ...precisionKernels,
  ...denseKernels,
];
