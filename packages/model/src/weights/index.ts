// Weights, from bytes: formats, names and layouts of every source.
export {
  readSafetensors,
  SafetensorsError,
  toFloat32,
  toInt32,
  type SafeTensor,
  type SafetensorsDtype,
  type SafetensorsFile,
} from './safetensors.ts';
export { writeSafetensors, type SafetensorsInput } from './safetensors-write.ts';
export { WeightsError, type TrunkWeights, type WeightTensor } from './trunk-weights.ts';
export { fromKerasNames, fromKerasSafetensors, type KerasNamedOptions } from './keras-names.ts';
export { fromTorchvision, torchvisionName, type TorchvisionOptions } from './torchvision.ts';
export { randomWeights, uniformNumbers, type RandomWeightsOptions } from './random.ts';
export { variantOfSource, WEIGHT_FILES, WEIGHT_SOURCES, type WeightFile, type WeightSource } from './known-files.ts';
