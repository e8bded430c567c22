// The weight files that Thaw knows by name: where they come from and, where it is published, their hash.
import { VARIANTS, type VariantName } from '../resnet50/index.ts';

/** The sources of weights there are. */
export const WEIGHT_SOURCES = ['keras', 'torchvision', 'tf-official', 'random'] as const;
/** The name of a source of weights. */
export type WeightSource = (typeof WEIGHT_SOURCES)[number];

/** A file of weights that is known by name. */
export interface WeightFile {
  /** Whose weights. */
  source: Exclude<WeightSource, 'random'>;
  /** In THAW_HOME/weights. */
  fileName: string;
  /** Where it can be downloaded; undefined where there is no public place. */
  url: string | undefined;
  /** Hexadecimal; undefined where the publisher gives none. */
  md5?: string;
  /** Hexadecimal; undefined where the publisher gives none. */
  sha256?: string;
  /** Whether the ImageNet classifier is in it. */
  includeTop: boolean;
  /** In a line. */
  description: string;
}

const KERAS = 'https://storage.googleapis.com/tensorflow/keras-applications/resnet';
const HUGGING_FACE = 'https://huggingface.co/timm';

/** Of one source, the first that is present is used; the first with a URL is downloaded. */
export const WEIGHT_FILES: readonly WeightFile[] = [
  {
    source: 'keras',
    fileName: 'resnet50_weights_tf_dim_ordering_tf_kernels.h5',
    url: `${KERAS}/resnet50_weights_tf_dim_ordering_tf_kernels.h5`,
    md5: '2cb95161c43110f7111970584f804107',
    includeTop: true,
    description: 'Keras Applications, ImageNet-1k, with the 1000-class top',
  },
  {
    source: 'keras',
    fileName: 'resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5',
    url: `${KERAS}/resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5`,
    md5: '4d473c1dd8becc155b73f8504c6f6626',
    includeTop: false,
    description: 'Keras Applications, ImageNet-1k, without top',
  },
  {
    source: 'torchvision',
    fileName: 'resnet50.tv_in1k.safetensors',
    url: `${HUGGING_FACE}/resnet50.tv_in1k/resolve/main/model.safetensors`,
    includeTop: true,
    description: 'torchvision v1 (timm resnet50.tv_in1k), ImageNet-1k',
  },
  {
    source: 'torchvision',
    fileName: 'resnet50.a1_in1k.safetensors',
    url: `${HUGGING_FACE}/resnet50.a1_in1k/resolve/main/model.safetensors`,
    includeTop: true,
    description: 'timm resnet50.a1_in1k ("ResNet strikes back"), ImageNet-1k',
  },
  {
    source: 'tf-official',
    fileName: 'resnet50-tf-official-v1.5-imagenet.safetensors',
    url: undefined,
    sha256: '2126773a88c926c2cade9fae5da98b031d8664a4f0fc8e85711600749bdc5b0c',
    includeTop: true,
    description: 'TensorFlow official models v1.5, ImageNet-1k, 1001-class top (0 = background)',
  },
];

/** The variant of a source's weights; random ones may be of any. */
export function variantOfSource(source: WeightSource): VariantName {
  return source === 'random' ? VARIANTS.torchvision.name : source;
}
