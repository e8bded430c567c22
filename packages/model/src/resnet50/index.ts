// ResNet-50 as data: variants, blocks, Keras's layer table.
export { VARIANTS, type Variant, type VariantName } from './variants.ts';
export {
  describeTrunk,
  RESNET50,
  stemPoolPadding,
  type Architecture,
  type BlockSpec,
  type ConvSpec,
  type TrunkSpec,
} from './trunk.ts';
export { layerTable, type Layer, type LayerKind, type LayerTableOptions, type LayerVariable } from './layer-table.ts';
export { summary, type Summary, type SummaryRow } from './summary.ts';
