// Small tar shards for tests: whole ones by the `tar` package's headers, and ones that lie.
import { Header, type HeaderData } from 'tar';

export interface ShardEntry extends HeaderData {
  readonly path: string;
  readonly body?: Uint8Array | string;
}

/** A header and a body; `size` and `type` may be others than the body's. */
export function tarEntry({ body = '', ...data }: ShardEntry): Buffer {
  const content = Buffer.from(body);
  const block = Buffer.alloc(512);
  new Header({ type: 'File', mode: 0o644, uid: 0, gid: 0, mtime: new Date(0), size: content.length, ...data }).encode(block, 0); // prettier-ignore
  return Buffer.concat([block, content, Buffer.alloc(-content.length & 511)]);
}

/** The two empty blocks at an archive's end. */
export const TAR_END = Buffer.alloc(1024);

export const shardOf = (entries: readonly ShardEntry[]): Buffer => Buffer.concat([...entries.map(tarEntry), TAR_END]);

/** An image and its label, as the WebDataset layout has them. */
export const sample = (key: string, image: Uint8Array, label: string | number, extension = 'png'): ShardEntry[] => [
  { path: `${key}.cls`, body: String(label) },
  { path: `${key}.${extension}`, body: image },
];
