// The three ResNet-50s that weights exist for. They differ in four places, and mixing them up loses accuracy in silence.

/** The name of a variant. */
export type VariantName = 'keras' | 'torchvision' | 'tf-official';

/** Where the ResNet-50 of a source of weights differs from the others. */
export interface Variant {
  /** Its name. */
  readonly name: VariantName;
  /** Which convolution of a stage's first block has stride 2. */
  readonly strideOn: 'first-1x1' | '3x3';
  /** Padding of the stem's max-pool: one pixel on each side, or TensorFlow's SAME (the odd pixel at bottom and right). */
  readonly stemPool: 'symmetric' | 'same';
  /** Whether convolutions have a bias in front of their batch-norm. */
  readonly convBias: boolean;
  /** Added to the variance in batch-norm. */
  readonly epsilon: number;
  /** How an image becomes the network's input (@thaw/data's name for it). */
  readonly preprocessing: VariantName;
}

/** The variants there are. */
export const VARIANTS: Readonly<Record<VariantName, Variant>> = {
  keras: {
    name: 'keras',
    strideOn: 'first-1x1',
    stemPool: 'symmetric',
    convBias: true,
    epsilon: 1.001e-5,
    preprocessing: 'keras',
  },
  torchvision: {
    name: 'torchvision',
    strideOn: '3x3',
    stemPool: 'symmetric',
    convBias: false,
    epsilon: 1e-5,
    preprocessing: 'torchvision',
  },
  'tf-official': {
    name: 'tf-official',
    strideOn: '3x3',
    stemPool: 'same',
    convBias: false,
    epsilon: 1e-5,
    preprocessing: 'tf-official',
  },
};
