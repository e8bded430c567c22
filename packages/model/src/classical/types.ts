// What a classifier of features is to others.
/** Classifiers on a frozen trunk's features. */
export const CLASSIFIER_KINDS = ['logistic', 'tree', 'forest', 'boosting', 'knn'] as const;
/** One of them. */
export type ClassifierKind = (typeof CLASSIFIER_KINDS)[number];

/** Names classes by features. */
export interface FeatureClassifier {
  /** Length of a feature vector. */
  readonly inputs: number;
  /** Number of classes. */
  readonly classes: number;
  /** @param values [size, inputs]; @returns [size, classes], each row adding up to 1 */
  probabilities(values: Float32Array, size: number): Promise<Float32Array>;
  /** Frees what it holds on the device. */
  dispose(): void;
}

/** A classifier that cannot be fitted or read; the message says why. */
export class ClassicalError extends Error {
  /** Its kind, for programs. */
  override readonly name = 'ClassicalError';
}
