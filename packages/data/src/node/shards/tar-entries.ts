// The files of a tar archive without their contents. The `tar` package understands the headers, but reads an archive from end
// to end; this goes from header to header.

import type { FileHandle } from 'node:fs/promises';
import { Header, Pax, type HeaderData } from 'tar';
import { DataError } from '../../errors.ts';
import { explain } from '../paths.ts';

const BLOCK = 512;
/** The first two bytes of what gzip packs. */
const GZIP = 0x1f8b;
/** Long names and extended headers, at most: as `tar` has it. */
const MOST_META = 2 ** 20;
/** Headers so close are read in large pieces, contents and all; others one by one. */
const NEAR = 64 * 2 ** 10;
const LARGE_PIECE = 2 ** 20;
const SMALL_PIECE = 4096;

/** A plain file in an archive. */
export interface TarFile {
  /** As the archive has it; whoever makes a path of it beware. */
  readonly name: string;
  /** First byte of its content in the archive. */
  readonly start: number;
  /** Bytes of its content, all of which the archive has. */
  readonly size: number;
}

/** Reads pieces of a file in ascending order. */
export class PieceReader {
  readonly path: string;
  readonly size: number;
  readonly #file: FileHandle;
  #piece = Buffer.alloc(0);
  #pieceStart = 0;
  #asked = 0;

  constructor(file: FileHandle, path: string, size: number) {
    this.#file = file;
    this.path = path;
    this.size = size;
  }

  /** Good until the next call; fewer than `length` where the file ends. */
  async bytes(start: number, length: number): Promise<Buffer> {
    const isNear = start - this.#asked < NEAR;
    this.#asked = start;
    const from = start - this.#pieceStart;
    if (from >= 0 && from + length <= this.#piece.length) return this.#piece.subarray(from, from + length);
    const wanted = Math.max(length, Math.min(isNear ? LARGE_PIECE : SMALL_PIECE, this.size - start));
    const piece = Buffer.allocUnsafe(wanted);
    let done = 0;
    while (done < wanted) {
      const { bytesRead } = await this.#file.read(piece, done, wanted - done, start + done);
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    this.#piece = piece.subarray(0, done);
    this.#pieceStart = start;
    return this.#piece.subarray(0, length);
  }
}

/**
 * The plain files, in order; folders, links and devices are passed over.
 * @throws DataError where the archive is cut off or damaged
 */
export async function* tarFiles(reader: PieceReader): AsyncGenerator<TarFile, void, undefined> {
  const { path, size: end } = reader;
  let global: HeaderData | undefined;
  let next: HeaderData | undefined;
  for (let at = 0; ;) {
    const block = await reader.bytes(at, BLOCK);
    if (block.length === 0) return; // not all programs write the two empty blocks at the end
    const header = headerOf(block, path, at, next, global);
    if (header.nullBlock) return;
    const { type, size } = header;
    // An extended header's name is the whole one; `Header` puts the plain header's folder before it.
    const name = next?.path ?? header.path ?? '';
    const start = at + BLOCK;
    if (size === undefined || !Number.isSafeInteger(size)) throw damaged(path, at, 'has no size');
    if (start + size > end) {
      throw new DataError(`${path}: is cut off: ${shown(name)} would end at byte ${start + size}, the file ends at ${end}; copy it again`); // prettier-ignore
    }
    at = start + Math.ceil(size / BLOCK) * BLOCK;
    const isMeta = /Extended|LongPath/.test(type);
    if (!isMeta) {
      next = undefined;
      if (type === 'File' || type === 'OldFile' || type === 'ContiguousFile') yield { name, start, size };
      continue;
    }
    if (size > MOST_META) throw damaged(path, start - BLOCK, `announces a name of ${size} bytes`);
    const text = (await reader.bytes(start, size)).toString();
    if (type === 'GlobalExtendedHeader') global = Pax.parse(text, global, true);
    else if (type.endsWith('ExtendedHeader')) next = Pax.parse(text, next, false);
    else next = { ...next, path: text.replace(/\0.*$/s, '') };
  }
}

function headerOf(
  block: Buffer,
  path: string,
  at: number,
  next: HeaderData | undefined,
  global: HeaderData | undefined,
): Header {
  if (at === 0 && block.length > 2 && block.readUInt16BE(0) === GZIP) {
    throw new DataError(`${path}: is packed with gzip, so no image of it can be read alone; unpack it with gunzip`);
  }
  if (block.length < BLOCK) throw new DataError(`${path}: is cut off within the header at byte ${at}; copy it again`);
  let header: Header;
  try {
    header = new Header(block, 0, next, global);
  } catch (error) {
    throw damaged(path, at, explain(error), error);
  }
  if (!header.nullBlock && !header.cksumValid) {
    throw damaged(path, at, 'has a wrong checksum');
  }
  return header;
}

const damaged = (path: string, at: number, what: string, cause?: unknown): DataError =>
  new DataError(`${path}: is no tar file, or damaged: the header at byte ${at} ${what}`, { cause });

/** A name for messages: archives may have anything in it. */
export const shown = (name: string): string => name.replace(/\p{Cc}/gu, '?').slice(0, 500);
