// Reads encoded images of large files ahead of being asked, in the order in which they will be asked for: window after window,
// what lies together in one read. Each image is let go when it is taken, so a window's worth of them is in memory.

import { byPlace, STRETCH_BYTES, windowEnd } from './reading-order.ts';
import { fileOf, readAt, type StoredImages } from './stored-images.ts';

/** Two images so close are read together, with what lies between them. */
const MOST_GAP = 64 * 2 ** 10;
/** Reads under way at once. */
const MOST_READS = 4;
/** Bytes of images in memory, whatever a window's images take: beyond it each is read when it is asked for. */
const MOST_BYTES = 384 * 2 ** 20;

export interface ReadAheadOptions {
  /** Images in memory, at most. */
  readonly window: number;
  /** Bytes of them, at most, but for one read; default 384 MiB. */
  readonly mostBytes?: number | undefined;
}

/** What is in memory or being read. */
export interface Held {
  images: number;
  bytes: number;
}

/** One read: positions of a pass whose images lie together. */
interface Span {
  readonly file: number;
  readonly start: number;
  readonly end: number;
  readonly positions: readonly number[];
}

type Outcome = Uint8Array | Error;

/** One pass over images in an order that is known. */
export class ReadAhead {
  /** Most that was held at a time. */
  readonly peak: Held = { images: 0, bytes: 0 };
  /** Reads of a file so far, and their bytes. */
  readonly reads = { count: 0, bytes: 0 };
  readonly #images: StoredImages;
  readonly #indices: Int32Array;
  readonly #window: number;
  readonly #mostBytes: number;
  readonly #held: Held = { images: 0, bytes: 0 };
  /** By position: read, and not yet taken. */
  readonly #ready = new Map<number, Outcome>();
  /** By position: asked for, and not yet read. */
  readonly #asked = new Map<number, (outcome: Outcome) => void>();
  /** 1 for each position whose reading has begun. */
  readonly #begun: Uint8Array;
  readonly #spans: Iterator<Span, undefined>;
  #next: Span | undefined;
  #running = 0;
  #isClosed = false;

  constructor(images: StoredImages, indices: Int32Array, { window, mostBytes = MOST_BYTES }: ReadAheadOptions) {
    this.#images = images;
    this.#indices = indices;
    this.#window = window;
    this.#mostBytes = mostBytes;
    this.#begun = new Uint8Array(indices.length);
    this.#spans = this.#allSpans();
    this.#next = this.#spans.next().value;
  }

  /**
   * The bytes of the image at a position of the pass, fewer than it has where its file was cut off; each once.
   * @throws DataError where the file cannot be read
   */
  async take(position: number): Promise<Uint8Array> {
    const outcome = this.#ready.get(position) ?? (await this.#read(position));
    this.#ready.delete(position);
    this.#held.images--;
    this.#held.bytes -= this.#sizeAt(position);
    this.#readOn();
    if (outcome instanceof Error) throw outcome;
    return outcome;
  }

  /** Lets go of what was read and begins no more reads. */
  close(): void {
    this.#isClosed = true;
    this.#ready.clear();
  }

  #read(position: number): Promise<Outcome> {
    return new Promise((resolve) => {
      this.#asked.set(position, resolve);
      this.#readOn();
    });
  }

  /** Begins as many reads as may be. */
  #readOn(): void {
    while (!this.#isClosed && this.#running < MOST_READS && this.#next) {
      const span = this.#withoutBegun(this.#next);
      if (span && !this.#fits(span)) break;
      if (span) this.#begin(span);
      this.#next = this.#spans.next().value;
    }
    if (this.#running > 0 || this.#isClosed) return;
    // No room for what comes next on the disk: what is asked for is read by itself.
    for (const position of this.#asked.keys()) {
      const span = this.#withoutBegun(this.#spanOf(position));
      if (span) this.#begin(span);
    }
  }

  #fits({ positions }: Span): boolean {
    if (this.#held.images === 0) return true;
    const bytes = positions.reduce((sum, position) => sum + this.#sizeAt(position), 0);
    return this.#held.images + positions.length <= this.#window && this.#held.bytes + bytes <= this.#mostBytes;
  }

  #begin(span: Span): void {
    const { held, peak } = { held: this.#held, peak: this.peak };
    for (const position of span.positions) {
      this.#begun[position] = 1;
      held.images++;
      held.bytes += this.#sizeAt(position);
    }
    peak.images = Math.max(peak.images, held.images);
    peak.bytes = Math.max(peak.bytes, held.bytes);
    this.#running++;
    this.reads.count++;
    this.reads.bytes += span.end - span.start;
    void this.#fetch(span).then((outcomes) => {
      this.#running--;
      span.positions.forEach((position, i) => this.#give(position, outcomes(i)));
      this.#readOn();
    });
  }

  #give(position: number, outcome: Outcome): void {
    const resolve = this.#asked.get(position);
    this.#asked.delete(position);
    if (resolve) resolve(outcome);
    else if (!this.#isClosed) this.#ready.set(position, outcome);
  }

  /** The i-th image of a span. An error is a value here, as its turn may come late. */
  async #fetch({ file, start, end, positions }: Span): Promise<(i: number) => Outcome> {
    const path = this.#images.files[file] ?? '';
    let bytes: Uint8Array;
    try {
      bytes = await readAt(path, start, end - start);
    } catch (error) {
      const failure = error instanceof Error ? error : new Error(String(error));
      return () => failure;
    }
    return (i) => {
      const position = positions[i] ?? 0;
      const from = this.#offsetAt(position) - start;
      const to = from + this.#sizeAt(position);
      // A copy, so that the images beside it are not kept until all are taken.
      return positions.length === 1 ? bytes : bytes.slice(from, to);
    };
  }

  *#allSpans(): Generator<Span, undefined> {
    const { length } = this.#indices;
    for (let from = 0; from < length;) {
      const end = windowEnd(from, length, this.#window);
      let together: Span[] = [];
      let [first, reached] = [0, 0];
      for (const place of byPlace(this.#indices.subarray(from, end))) {
        const one = this.#spanOf(from + place);
        const isNear =
          together[0]?.file === one.file && one.start - reached <= MOST_GAP && one.end - first <= STRETCH_BYTES;
        if (!isNear) {
          if (together.length > 0) yield joined(together);
          together = [];
          [first, reached] = [one.start, 0];
        }
        together.push(one);
        reached = Math.max(reached, one.end);
      }
      yield joined(together);
      from = end;
    }
    return undefined;
  }

  #spanOf(position: number): Span {
    const start = this.#offsetAt(position);
    const file = fileOf(this.#images, this.#indices[position] ?? 0);
    return { file, start, end: start + this.#sizeAt(position), positions: [position] };
  }

  #withoutBegun(span: Span): Span | undefined {
    const positions = span.positions.filter((position) => this.#begun[position] === 0);
    if (positions.length === span.positions.length) return span;
    return positions.length === 0 ? undefined : joined(positions.map((position) => this.#spanOf(position)));
  }

  #offsetAt(position: number): number {
    return this.#images.offsets[this.#indices[position] ?? 0] ?? 0;
  }

  #sizeAt(position: number): number {
    return this.#images.sizes[this.#indices[position] ?? 0] ?? 0;
  }
}

/** Spans of one file as one; there is at least one. */
function joined(spans: readonly Span[]): Span {
  const [start, end] = spans.reduce(([a, b], one) => [Math.min(a, one.start), Math.max(b, one.end)], [Infinity, 0]);
  return { file: spans[0]?.file ?? 0, start, end, positions: spans.flatMap(({ positions }) => positions) };
}
