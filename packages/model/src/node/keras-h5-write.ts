// Keras's layout of a weight file (HDF5, as Keras 2 reads it), written with h5wasm: a group for each layer of ResNet-50's table
// and of the head, a dataset for each variable, and the attributes that name them in order.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { layerTable, VARIANTS } from '../resnet50/index.ts';
import { headLayers, variableOf, type TrainedClassifier } from '../export/graph.ts';
import type { WeightTensor } from '../weights/index.ts';

interface LayerGroup {
  readonly name: string;
  /** By the dataset's name: kernel, bias, gamma, ... */
  readonly variables: readonly (readonly [name: string, tensor: WeightTensor])[];
}

/**
 * The bytes of a `.weights.h5`. Layers have Keras's names (`conv1_conv`); those of the head are `head_dense_0`, ... For
 * `load_weights(path, by_name=True)` of `ResNet50(include_top=False)` with such a head behind it.
 * @throws WeightsError when a variable is missing
 */
export async function toKerasH5(trained: TrainedClassifier): Promise<Uint8Array> {
  const { variant, imageSize, architecture } = trained;
  const table = layerTable(VARIANTS[variant], { imageSize, ...(architecture ? { architecture } : {}) });
  const groups: LayerGroup[] = table.map(({ name, variables }) => ({
    name,
    variables: variables.map((variable) => [bare(variable.name), variableOf(trained, variable.name)] as const),
  }));
  for (const [i, { kernel, bias }] of headLayers(trained).entries())
    groups.push({ name: `head_dense_${i}`, variables: [['kernel', kernel] as const, ['bias', bias] as const] }); // prettier-ignore

  const h5wasm = await import('h5wasm/node');
  const library = await h5wasm.ready;
  library.activate_throwing_error_handler();
  // HDF5 writes to a path; what is made here is moved to its place by whoever asked for it.
  const folder = await mkdtemp(join(tmpdir(), 'thaw-h5-'));
  try {
    const path = join(folder, 'weights.h5');
    const file = new h5wasm.File(path, 'w');
    file.create_attribute(
      'layer_names',
      groups.map(({ name }) => name),
    );
    file.create_attribute('backend', 'tensorflow');
    file.create_attribute('keras_version', '2.15.0');
    for (const { name, variables } of groups) {
      const group = file.create_group(name);
      if (variables.length === 0) continue;
      const inner = group.create_group(name);
      group.create_attribute(
        'weight_names',
        variables.map(([variable]) => `${name}/${variable}:0`),
      );
      for (const [variable, { shape, data }] of variables)
        inner.create_dataset({ name: `${variable}:0`, data, shape: [...shape], dtype: '<f' });
    }
    file.close();
    return await readFile(path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const bare = (name: string): string => name.slice(name.indexOf('/') + 1);
