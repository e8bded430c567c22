// Where CIFAR lies: <home>/datasets/<folder>; opened from there, else unpacked from its archive, else downloaded.

import { join } from 'node:path';
import { DatasetMissingError } from '../errors.ts';
import { CIFAR10, CIFAR100, readCifar, type CifarDataset, type CifarFormat } from './cifar.ts';
import { statOrNull } from './paths.ts';

export interface CifarOptions {
  readonly labels?: 'fine' | 'coarse' | undefined;
}

/** CIFAR-10 from `<home>/datasets/cifar-10-batches-bin`. */
export function openCifar10(home: string, split: 'train' | 'test', options: CifarOptions = {}): Promise<CifarDataset> {
  return openCifar(CIFAR10, home, split, options);
}

/** CIFAR-100 from `<home>/datasets/cifar-100-binary`. */
export function openCifar100(home: string, split: 'train' | 'test', options: CifarOptions = {}): Promise<CifarDataset> {
  return openCifar(CIFAR100, home, split, options);
}

async function openCifar(format: CifarFormat, home: string, split: 'train' | 'test', options: CifarOptions) {
  const folder = join(home, 'datasets', format.folder);
  if (!(await statOrNull(folder))) throw new DatasetMissingError(`${format.title} is not in ${folder}`);
  return readCifar(folder, format, split, options);
}
