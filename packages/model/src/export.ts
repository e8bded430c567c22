// @thaw/model/export: a trained classifier for other runtimes.
export {
  headLayers,
  IMAGES,
  inferenceGraph,
  type Graph,
  type GraphNode,
  type TrainedClassifier,
} from './export/graph.ts';
export { toOnnx, type OnnxOptions } from './export/onnx.ts';
export { toTorchvision, torchvisionNotes } from './export/torchvision.ts';
export { toLayersModel, WEIGHTS_FILE, type LayersModel } from './export/tfjs-layers.ts';
