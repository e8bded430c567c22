// Many short texts in one piece of memory: a million paths as strings take some hundred megabytes, their letters some twenty.

const DECODER = new TextDecoder();

/** Texts by position. Made by `CompactTextsBuilder`. */
export class CompactTexts {
  /** UTF-8, end to end. */
  readonly bytes: Uint8Array;
  /** Where each ends. */
  readonly ends: Float64Array;

  constructor(bytes: Uint8Array, ends: Float64Array) {
    this.bytes = bytes;
    this.ends = ends;
  }

  static of(texts: Iterable<string>): CompactTexts {
    const builder = new CompactTextsBuilder();
    for (const text of texts) builder.push(text);
    return builder.build();
  }

  get length(): number {
    return this.ends.length;
  }

  /** '' where there is no such text. */
  at(index: number): string {
    return DECODER.decode(this.bytes.subarray(this.ends[index - 1] ?? 0, this.ends[index] ?? 0));
  }
}

/** Takes texts one by one. */
export class CompactTextsBuilder {
  #bytes = Buffer.allocUnsafeSlow(1024);
  #used = 0;
  readonly #ends: number[] = [];

  push(text: string): void {
    this.#makeRoom(3 * text.length);
    this.#used += this.#bytes.write(text, this.#used);
    this.#ends.push(this.#used);
  }

  /** Another's texts after these. */
  append({ bytes, ends }: CompactTexts): void {
    this.#makeRoom(bytes.length);
    this.#bytes.set(bytes, this.#used);
    for (const end of ends) this.#ends.push(this.#used + end);
    this.#used += bytes.length;
  }

  build(): CompactTexts {
    return new CompactTexts(new Uint8Array(this.#bytes.subarray(0, this.#used)), Float64Array.from(this.#ends));
  }

  #makeRoom(bytes: number): void {
    if (this.#used + bytes <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#used + bytes, 2 * this.#bytes.length));
    larger.set(this.#bytes.subarray(0, this.#used));
    this.#bytes = larger;
  }
}
