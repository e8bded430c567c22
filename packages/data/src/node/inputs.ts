// What a person names images with: files, folders, patterns, addresses, standard input; as images that are read when it is
// their turn, so that a million of them take no memory.
import type { Stats } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { glob, isDynamicPattern } from 'tinyglobby';
import { CorruptImageError, DataError } from '../errors.ts';
import { isImageName } from './decode.ts';
import { fetchImage, isAddress, type FetchImageOptions } from './fetch-image.ts';
import { explain } from './paths.ts';
import { isShardName } from './shards/find-shards.ts';
import { indexShards } from './shards/shard-index.ts';
import { readAt } from './stored/stored-images.ts';
import { describeIgnored, findImages } from './walk.ts';

/** An image that can be read. */
export interface NamedImage {
  /** A file's path, an address, or "-". */
  readonly name: string;
  /** @throws CorruptImageError where it cannot be had; its bytes are not looked at */
  readonly read: () => Promise<Uint8Array>;
}

/** What names stand for. */
export interface NamedImages {
  /** In the order of the names, each once. */
  readonly images: readonly NamedImage[];
  /** What the user should know: files that were ignored. */
  readonly notes: readonly string[];
}

/** Where names are looked up. */
export interface InputPlace extends FetchImageOptions {
  /** The folder that relative paths start from. */
  readonly cwd: string;
  /** What "-" reads; default nothing. */
  readonly stdin?: AsyncIterable<Uint8Array | string> | undefined;
}

/** "-" is one image on standard input. */
export const STDIN = '-';
/** An image that is piped in, at most. */
const MAX_STDIN = 256 * 2 ** 20;

/**
 * The images behind names, in order, each once: files, folders (to any depth), tar shards, patterns such as "photos/*.jpg" (for shells
 * that leave them alone), http and https addresses, and "-". Nothing is opened yet.
 * @throws DataError where a path does not exist, a pattern matches nothing, or there is no image at all
 */
export async function namedImages(names: readonly string[], place: InputPlace): Promise<NamedImages> {
  if (names.length === 0) throw new DataError('no image files or folders were given');
  const images = new Map<string, NamedImage>();
  const ignored: string[] = [];
  const add = (image: NamedImage): void => {
    if (!images.has(image.name)) images.set(image.name, image);
  };
  for (const name of names) {
    const found = await expand(name, place);
    for (const image of found.images) add(image);
    ignored.push(...found.ignored);
  }
  if (images.size === 0) {
    const others = ignored.length > 0 ? `, only ${describeIgnored(ignored)}` : '';
    throw new DataError(`${names.join(', ')}: no images${others}`);
  }
  return { images: [...images.values()], notes: ignored.length > 0 ? [`ignored ${describeIgnored(ignored)}`] : [] };
}

/** Text in pieces, wherever they are cut. */
type Lines = AsyncIterable<Uint8Array | string> | Iterable<Uint8Array | string>;

/** The images of a list of names, one a line, as the list arrives; empty lines are passed over. */
export async function* listedImages(lines: Lines, place: InputPlace): AsyncGenerator<NamedImage> {
  for await (const line of linesOf(lines)) {
    const name = line.trim();
    if (name === '') continue;
    if (name === STDIN) throw new DataError('-: a list of images cannot name standard input');
    yield imageNamed(name, place);
  }
}

/** The image of one name: an address, or a file's path. */
export const imageNamed = (name: string, place: InputPlace): NamedImage =>
  isAddress(name) ? addressImage(name, place) : fileImage(resolve(place.cwd, name));

interface Expanded {
  readonly images: readonly NamedImage[];
  readonly ignored: readonly string[];
}

async function expand(name: string, place: InputPlace): Promise<Expanded> {
  if (name === STDIN) return { images: [stdinImage(place)], ignored: [] };
  if (isAddress(name)) return { images: [addressImage(name, place)], ignored: [] };
  const path = resolve(place.cwd, name);
  const found = await stat(path).catch((error: unknown) => error);
  if (found instanceof Error) return expandPattern(name, place, found);
  return expandPath(path, found as Stats);
}

/** A file's name may look like a pattern: "photo[1].jpg". So it is one only where there is no such file. */
async function expandPattern(name: string, place: InputPlace, missing: Error): Promise<Expanded> {
  if (!isDynamicPattern(name))
    throw new DataError(`${resolve(place.cwd, name)}: ${explain(missing)}`, { cause: missing });
  const matches = await glob(name, { cwd: place.cwd, absolute: true, onlyFiles: false, expandDirectories: false });
  if (matches.length === 0) throw new DataError(`${name}: no file matches this pattern`);
  const all: Expanded[] = [];
  for (const match of matches.sort()) {
    const path = match.replace(/\/$/, '');
    all.push(await expandPath(path, await stat(path)));
  }
  return { images: all.flatMap(({ images }) => images), ignored: all.flatMap(({ ignored }) => ignored) };
}

async function expandPath(path: string, found: { isDirectory(): boolean; readonly size: number }): Promise<Expanded> {
  if (!found.isDirectory() && isShardName(path)) return { images: await shardImages(path, found.size), ignored: [] };
  if (!found.isDirectory())
    return isImageName(path) ? { images: [fileImage(path)], ignored: [] } : { images: [], ignored: [path] };
  const inside = await findImages(path);
  return {
    images: inside.images.map((image) => fileImage(join(path, image))),
    ignored: inside.ignored.map((file) => join(path, file)),
  };
}

/** The images of a tar shard, labelled or not. */
async function shardImages(path: string, size: number): Promise<NamedImage[]> {
  const { names, offsets, sizes } = await indexShards([{ path, size }]);
  return Array.from(offsets, (offset, i) => ({
    name: `${path}/${names.at(i)}`,
    read: () => readAt(path, offset, sizes[i] ?? 0),
  }));
}

const fileImage = (path: string): NamedImage => ({
  name: path,
  read: () =>
    readFile(path).catch((error: unknown) => {
      throw new CorruptImageError(path, `the file ${explain(error)}`, { cause: error });
    }),
});

const addressImage = (address: string, options: FetchImageOptions): NamedImage => ({
  name: address,
  read: () => fetchImage(address, options),
});

function stdinImage({ stdin }: InputPlace): NamedImage {
  return {
    name: STDIN,
    read: async () => {
      const parts: Buffer[] = [];
      let bytes = 0;
      for await (const part of stdin ?? []) {
        parts.push(Buffer.from(part));
        bytes += part.length;
        if (bytes > MAX_STDIN) throw new CorruptImageError(STDIN, `is larger than ${MAX_STDIN / 2 ** 20} MiB`);
      }
      const all = Buffer.concat(parts);
      if (all.length === 0) throw new CorruptImageError(STDIN, 'nothing came on standard input; pipe an image into it');
      return all;
    },
  };
}

async function* linesOf(chunks: Lines): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of chunks) {
    rest += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true });
    const lines = rest.split(/\r?\n/);
    rest = lines.pop() ?? '';
    yield* lines;
  }
  if (rest !== '') yield rest;
}
