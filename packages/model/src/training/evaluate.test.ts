// An evaluation of outputs that are no probabilities.
import { expect, test } from 'vitest';
import type { FeatureClassifier } from '../classical/types.ts';
import { evaluateFeatures } from './evaluate.ts';
import { DivergedError } from './step.ts';

/** Answers with the features. */
const echo: FeatureClassifier = { inputs: 2, classes: 2, probabilities: async (values) => values, dispose: () => undefined }; // prettier-ignore
const features = (values: number[]) => ({ values: Float32Array.from(values), labels: Int32Array.of(0, 1), width: 2 });

test('an output that is not finite is told with its image, and is no accuracy', async () => {
  const failed = evaluateFeatures(echo, features([0.75, 0.25, 0.5, NaN]));
  await expect(failed).rejects.toThrow(DivergedError);
  await expect(failed).rejects.toThrow('output for image 1 is NaN: its weights have diverged');
  expect((await evaluateFeatures(echo, features([0.75, 0.25, 0.5, 0.5]))).accuracy).toBe(0.5);
});
