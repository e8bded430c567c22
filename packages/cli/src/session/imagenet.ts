// Names of the ImageNet classes: from THAW_HOME's labels.txt, which has WordNet ids too, else from the MobileNet package.
import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Homes } from './home.ts';

export interface ImageNetClass {
  readonly name: string;
  /** WordNet id such as "n02787622", where it is known. */
  readonly wordNetId: string | undefined;
}

/**
 * The names for a classifier of so many outputs, in their order; with 1001, output 0 is the background.
 * Undefined where the number is neither 1000 nor 1001.
 */
export async function imageNetClasses(outputs: number, homes: Homes): Promise<readonly ImageNetClass[] | undefined> {
  if (outputs !== 1000 && outputs !== 1001) return undefined;
  const thousand = (await fromLabels(homes)) ?? (await fromPackage());
  return outputs === 1001 ? [{ name: 'background', wordNetId: undefined }, ...thousand] : thousand;
}

async function fromLabels(homes: Homes): Promise<ImageNetClass[] | undefined> {
  for (const home of homes.all) {
    const text = await readFile(join(home, 'datasets', 'imagenet-samples', 'labels.txt'), 'utf8').catch(() => '');
    const classes = text.split('\n').flatMap((line) => {
      const [, id, name] = /^\d+ (n\d{8}) (.+)$/.exec(line.trim()) ?? [];
      return id !== undefined && name !== undefined ? [{ name, wordNetId: id }] : [];
    });
    if (classes.length === 1000) return classes;
  }
  return undefined;
}

async function fromPackage(): Promise<ImageNetClass[]> {
  const { IMAGENET_CLASSES } = await import('@tensorflow-models/mobilenet/dist/imagenet_classes.js');
  // The first of a class's synonyms is its name.
  return Array.from({ length: 1000 }, (_, i) => ({
    name: (IMAGENET_CLASSES[i] ?? `class ${i}`).split(',')[0]?.trim() ?? '',
    wordNetId: undefined,
  }));
}

/** The class that a file's or its folder's name tells, as in n02787622_banjo.jpg; undefined where neither has a WordNet id. */
export function classOfFile(path: string): ImageNetClass | undefined {
  for (const word of [basename(path), basename(dirname(path))]) {
    const [, id, name] = /^(n\d{8})(?:[_-]([^.]*))?/.exec(word) ?? [];
    if (id !== undefined) return { wordNetId: id, name: (name ?? '').replaceAll('_', ' ') };
  }
  return undefined;
}

/** Whether a predicted class is the one that the file's name tells. */
export function isSameClass(predicted: ImageNetClass, named: ImageNetClass): boolean {
  if (predicted.wordNetId !== undefined) return predicted.wordNetId === named.wordNetId;
  return named.name !== '' && plain(predicted.name) === plain(named.name);
}

const plain = (name: string): string =>
  name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, ' ')
    .trim();
