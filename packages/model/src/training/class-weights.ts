// Weights of the classes in the loss, so that a rare class counts as much as a frequent one.

/** none: every image counts the same; balanced: every class does. */
export const CLASS_WEIGHTS = ['none', 'balanced'] as const;
/** Which weights. */
export type ClassWeighting = (typeof CLASS_WEIGHTS)[number];

/**
 * One factor for each class: n / (k n_c) for k classes that have images, so that the mean over the images is 1 (scikit-learn's
 * "balanced"; King and Zeng, "Logistic Regression in Rare Events Data", 2001). A class without images has 1.
 *
 * @returns undefined for none
 */
export function classWeights(weighting: ClassWeighting, labels: Int32Array, classes: number): Float32Array | undefined {
  if (weighting === 'none') return undefined;
  const counts = new Float64Array(classes);
  for (const label of labels) counts[label] = (counts[label] ?? 0) + 1;
  const present = counts.filter((count) => count > 0).length;
  return Float32Array.from(counts, (count) => (count === 0 ? 1 : labels.length / (present * count)));
}
