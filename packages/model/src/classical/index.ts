// Classical classifiers on the features of a frozen trunk.
export { CLASSIFIER_KINDS, ClassicalError, type ClassifierKind, type FeatureClassifier } from './types.ts';
export {
  ClassicalClassifier,
  fitClassical,
  projectFeatures,
  readClassical,
  type ClassicalOptions,
  type HeadlessKind,
} from './classical.ts';
export { fitLogistic, type LinearClassifier, type LogisticFit, type LogisticOptions } from './logistic.ts';
export type { LbfgsOptions } from './lbfgs.ts';
export { fitPca, project, throughProjection, type Projection } from './pca.ts';
export { TreeEnsemble, type EnsembleData } from './ensemble.ts';
export { NearestNeighbours } from './knn.ts';
export { deviceClassifier } from './device-classifier.ts';
