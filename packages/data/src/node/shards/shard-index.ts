// What is in tar shards of the WebDataset layout: where each image lies, what it is called, and its label. Files in a row whose
// names agree up to the first dot are one sample: https://github.com/webdataset/webdataset

import { open } from 'node:fs/promises';
import { DataError } from '../../errors.ts';
import { numberAmong } from '../class-names.ts';
import { CompactTextsBuilder, type CompactTexts } from '../compact-texts.ts';
import { isImageName } from '../decode.ts';
import { explain, mapLimited } from '../paths.ts';
import { PieceReader, shown, tarFiles, type TarFile } from './tar-entries.ts';

/** A label's file, at most. */
const MOST_LABEL_BYTES = 2 ** 20;
/** A label, at most: it is a number or a name. */
const MOST_LABEL_LETTERS = 256;
/** Shards looked through at once. */
const AT_ONCE = 4;

/** The images of some shards, in order. Images are numbers in arrays, never objects: there may be a million. */
export interface ShardIndex {
  /** The first image of each shard. */
  readonly firsts: Int32Array;
  /** First byte of each image in its shard. */
  readonly offsets: Float64Array;
  /** Bytes of each image. */
  readonly sizes: Float64Array;
  /** Names of the images' files in their shards. */
  readonly names: CompactTexts;
  /** Which of `texts` each image's label is; -1 where it has none. */
  readonly labels: Int32Array;
  /** Each label once, as it is written. */
  readonly texts: readonly string[];
  /** Samples that have no image. */
  readonly withoutImage: number;
}

/** How shards are looked through. */
export interface IndexOptions {
  /** Called with the bytes that are behind, and all. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  /** Ends it. */
  readonly signal?: AbortSignal | undefined;
}

/** @throws DataError where a shard is damaged, or a label cannot be understood */
export async function indexShards(
  shards: readonly { readonly path: string; readonly size: number }[],
  { onProgress, signal }: IndexOptions = {},
): Promise<ShardIndex> {
  const total = shards.reduce((sum, { size }) => sum + size, 0);
  let done = 0;
  const onBytes = (bytes: number): void => {
    signal?.throwIfAborted();
    onProgress?.((done += bytes), total);
  };
  return joined(await mapLimited(shards, AT_ONCE, ({ path, size }) => indexShard(path, size, onBytes)));
}

interface Part {
  readonly offsets: Float64Array;
  readonly sizes: Float64Array;
  readonly names: CompactTexts;
  readonly labels: Int32Array;
  readonly texts: readonly string[];
  readonly withoutImage: number;
}

/** Files between two reports of progress. */
const REPORT_EVERY = 1000;

async function indexShard(path: string, size: number, onBytes: (bytes: number) => void): Promise<Part> {
  const file = await open(path).catch((error: unknown) => {
    throw new DataError(`${path}: the file ${explain(error)}`, { cause: error });
  });
  try {
    const samples = new Samples();
    const reader = new PieceReader(file, path, size);
    let [reported, files] = [0, 0];
    for await (const entry of tarFiles(reader)) {
      await samples.add(entry, reader);
      if (++files % REPORT_EVERY !== 0) continue;
      onBytes(entry.start - reported);
      reported = entry.start;
    }
    onBytes(size - reported);
    return samples.build();
  } catch (error) {
    // Reading failed, not what was read.
    if (error instanceof Error && 'syscall' in error) throw new DataError(`${path}: the file ${explain(error)}`, { cause: error }); // prettier-ignore
    throw error;
  } finally {
    await file.close();
  }
}

/** Collects samples from files that come one by one. */
class Samples {
  readonly #offsets: number[] = [];
  readonly #sizes: number[] = [];
  readonly #labels: number[] = [];
  readonly #names = new CompactTextsBuilder();
  readonly #texts = new Map<string, number>();
  #withoutImage = 0;
  #key: string | undefined;
  #image: TarFile | undefined;
  #label: string | undefined;

  async add(file: TarFile, reader: PieceReader): Promise<void> {
    const base = file.name.lastIndexOf('/') + 1;
    const dot = file.name.indexOf('.', base);
    // Hidden files, as macOS adds them, and files without an extension belong to no sample.
    if (dot <= base) return;
    const [key, extension] = [file.name.slice(0, dot), file.name.slice(dot).toLowerCase()];
    if (key !== this.#key) this.#end();
    this.#key = key;
    if (extension === '.cls') this.#label = await clsLabel(file, reader);
    else if (extension === '.json') this.#label ??= await jsonLabel(file, reader);
    // Of several images the first is the sample's: "seg.png" and the like are no image of their own.
    else if (isImageName(extension) && extension.lastIndexOf('.') === 0) this.#image ??= file;
  }

  build(): Part {
    this.#end();
    return {
      offsets: Float64Array.from(this.#offsets),
      sizes: Float64Array.from(this.#sizes),
      labels: Int32Array.from(this.#labels),
      names: this.#names.build(),
      texts: [...this.#texts.keys()],
      withoutImage: this.#withoutImage,
    };
  }

  #end(): void {
    if (this.#image) {
      this.#offsets.push(this.#image.start);
      this.#sizes.push(this.#image.size);
      this.#names.push(shown(this.#image.name));
      this.#labels.push(this.#label === undefined ? -1 : numberAmong(this.#texts, this.#label));
    } else if (this.#key !== undefined) this.#withoutImage++;
    this.#image = undefined;
    this.#label = undefined;
  }
}

async function clsLabel(file: TarFile, reader: PieceReader): Promise<string | undefined> {
  return checkedLabel(await labelText(file, reader), file, reader);
}

async function jsonLabel(file: TarFile, reader: PieceReader): Promise<string | undefined> {
  const text = await labelText(file, reader);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new DataError(`${reader.path}: ${shown(file.name)} is not JSON: ${explain(error)}`, { cause: error });
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const label: unknown = 'cls' in value ? value.cls : 'label' in value ? value.label : undefined;
  return typeof label === 'string' || typeof label === 'number' ? checkedLabel(String(label), file, reader) : undefined;
}

async function labelText(file: TarFile, reader: PieceReader): Promise<string> {
  if (file.size > MOST_LABEL_BYTES)
    throw new DataError(`${reader.path}: ${shown(file.name)} has ${file.size} bytes, too many for a label`);
  return (await reader.bytes(file.start, file.size)).toString();
}

function checkedLabel(text: string, file: TarFile, { path }: PieceReader): string | undefined {
  const label = text.trim();
  if (label.length > MOST_LABEL_LETTERS || /\p{Cc}/u.test(label)) {
    throw new DataError(`${path}: ${shown(file.name)} holds neither the number nor the name of a class, but ${JSON.stringify(label.slice(0, 40))}`); // prettier-ignore
  }
  // "007" is the class 7.
  return label === '' ? undefined : /^\d{1,15}$/.test(label) ? String(Number(label)) : label;
}

function joined(parts: readonly Part[]): ShardIndex {
  const length = parts.reduce((sum, part) => sum + part.labels.length, 0);
  const [offsets, sizes, labels] = [new Float64Array(length), new Float64Array(length), new Int32Array(length)];
  const [names, texts] = [new CompactTextsBuilder(), new Map<string, number>()];
  const firsts: number[] = [];
  let at = 0;
  for (const part of parts) {
    firsts.push(at);
    offsets.set(part.offsets, at);
    sizes.set(part.sizes, at);
    names.append(part.names);
    const numbers = part.texts.map((text) => numberAmong(texts, text));
    part.labels.forEach((label, i) => (labels[at + i] = numbers[label] ?? -1));
    at += part.labels.length;
  }
  const withoutImage = parts.reduce((sum, part) => sum + part.withoutImage, 0);
  return { firsts: Int32Array.from(firsts), offsets, sizes, labels, names: names.build(), texts: [...texts.keys()], withoutImage }; // prettier-ignore
}
