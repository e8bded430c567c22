// Names in Keras's HDF5 weight files to those of the layer table. A file has a group per layer and a dataset per variable,
// `conv1_conv/conv1_conv/kernel:0`; files of before 2019 call the same layers res2a_branch2a, bn2a_branch2a, fc1000.

const VARIABLES: readonly [RegExp, string][] = [
  [/(^|_)(kernel|W)$/, 'kernel'],
  [/(^|_)(bias|b)$/, 'bias'],
  [/(^|_)gamma$/, 'gamma'],
  [/(^|_)beta$/, 'beta'],
  [/(^|_)(moving_mean|running_mean)$/, 'moving_mean'],
  // The oldest files say "std" and mean the variance.
  [/(^|_)(moving_variance|running_std)$/, 'moving_variance'],
];

/** The layer table's name for a dataset of a layer's group, as `conv1_conv/kernel`; undefined where there is none. */
export function kerasNameOfDataset(layer: string, dataset: string): string | undefined {
  const bare = dataset.replace(/:\d+$/, '').replace(/_\d+$/, '');
  const variable = VARIABLES.find(([pattern]) => pattern.test(bare))?.[1];
  return variable === undefined ? undefined : `${currentLayerName(layer)}/${variable}`;
}

/** The layer's name since 2019. */
function currentLayerName(layer: string): string {
  if (layer === 'conv1') return 'conv1_conv';
  if (layer === 'bn_conv1') return 'conv1_bn';
  if (layer === 'fc1000' || layer === 'probs') return 'predictions';
  const match = /^(res|bn)(\d)([a-z])_branch(1|2a|2b|2c)$/.exec(layer);
  if (!match) return layer;
  const [, kind, stage, letter = 'a', branch = '1'] = match;
  const block = letter.charCodeAt(0) - 'a'.charCodeAt(0) + 1;
  const number = { '1': 0, '2a': 1, '2b': 2, '2c': 3 }[branch];
  return `conv${stage}_block${block}_${number}_${kind === 'res' ? 'conv' : 'bn'}`;
}
