/**
 * 'ThawSoftmaxCrossEntropy': inputs logits [n, classes], labels [n] int32; attribute smoothing;
 * outputs [loss [n], gradient [n, classes]].
 * 'ThawScaleRows': inputs x [n, columns], scale [n]; one output.
 */
import { defineKernel } from '../../backend/kernel.ts';
import { planScaleRows, planSoftmaxCrossEntropy } from './softmax-cross-entropy.plan.ts';

const softmaxCrossEntropy = defineKernel('ThawSoftmaxCrossEntropy', ({ backend, input, attrs }) => {
  const [logits, labels] = [input('logits'), input('labels')];
  const [rows = 0, classes = 0] = logits.shape;
  const plan = planSoftmaxCrossEntropy(rows, classes, attrs<{ smoothing: number }>().smoothing, backend.gpu.limits);
  const { loss, gradient } = backend.run(plan, { logits, labels });
  if (!loss || !gradient) throw new Error('ThawSoftmaxCrossEntropy: an output was not made');
  return [loss, gradient];
});

const scaleRows = defineKernel('ThawScaleRows', ({ backend, input }) => {
  const [x, scale] = [input('x'), input('scale')];
  const [rows = 0, columns = 0] = x.shape;
  return backend.runOne(planScaleRows(rows, columns, backend.gpu.limits), { x, scale });
});

export const softmaxCrossEntropyKernels = [softmaxCrossEntropy, scaleRows];
