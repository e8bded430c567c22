// Seeded pseudo-random integers: xoshiro128** 1.1 with its state filled by splitmix64.
//
// D. Blackman and S. Vigna, "Scrambled Linear Pseudorandom Number Generators", ACM TOMS 47(4), 2021;
// https://prng.di.unimi.it/xoshiro128starstar.c and https://prng.di.unimi.it/splitmix64.c (both public domain).
// Only 32-bit integer operations and exact doubles are used, so a seed gives the same numbers on every platform.

import { DataError } from './errors.ts';

const TWO_32 = 2 ** 32;
const MASK_64 = (1n << 64n) - 1n;

/** A generator of uniform random numbers. Not for cryptography. */
export class Random {
  #s0: number;
  #s1: number;
  #s2: number;
  #s3: number;

  /** @param state four 32-bit words, not all zero */
  constructor(state: readonly [number, number, number, number]) {
    [this.#s0, this.#s1, this.#s2, this.#s3] = state.map((word) => word | 0) as [number, number, number, number];
    if ((this.#s0 | this.#s1 | this.#s2 | this.#s3) === 0) throw new RangeError('Random: the state is all zeros');
  }

  /**
   * The generator of a seed.
   *
   * @param seed an integer from 0 to 2^53 - 1
   * @param stream a name for the purpose, so that a split and a shuffle of one seed are unrelated
   */
  static fromSeed(seed: number, stream = ''): Random {
    if (!Number.isSafeInteger(seed) || seed < 0) {
      throw new DataError(`seed ${seed} is not an integer from 0 to ${Number.MAX_SAFE_INTEGER}`);
    }
    const next = splitmix64(BigInt(seed) ^ (BigInt(stream === '' ? 0 : fnv1a(stream)) << 32n));
    const [a, b] = [next(), next()];
    return new Random([low(a), high(a), low(b), high(b)]);
  }

  /** An integer, uniform in [0, 2^32). */
  uint32(): number {
    const result = Math.imul(rotateLeft(Math.imul(this.#s1, 5), 7), 9) >>> 0;
    const t = this.#s1 << 9;
    this.#s2 ^= this.#s0;
    this.#s3 ^= this.#s1;
    this.#s1 ^= this.#s2;
    this.#s0 ^= this.#s3;
    this.#s2 ^= t;
    this.#s3 = rotateLeft(this.#s3, 11);
    return result;
  }

  /** An integer, uniform in [0, bound), without bias; `bound` from 1 to 2^32. */
  below(bound: number): number {
    if (!Number.isInteger(bound) || bound < 1 || bound > TWO_32) throw new RangeError(`Random.below(${bound})`);
    // Numbers past the last whole multiple of `bound` would favour the small remainders.
    const limit = TWO_32 - (TWO_32 % bound);
    let value = this.uint32();
    while (value >= limit) value = this.uint32();
    return value % bound;
  }

  /** A number, uniform in [0, 1), in steps of 2^-32. */
  float(): number {
    return this.uint32() / TWO_32;
  }

  /** Shuffles in place (Fisher-Yates, from the end). */
  shuffle(values: Int32Array | number[]): void {
    for (let i = values.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      const [a, b] = [values[i] ?? 0, values[j] ?? 0];
      values[i] = b;
      values[j] = a;
    }
  }
}

function rotateLeft(x: number, k: number): number {
  return (x << k) | (x >>> (32 - k));
}

/** splitmix64: the generator that xoshiro's authors recommend for filling its state. */
export function splitmix64(seed: bigint): () => bigint {
  let x = seed & MASK_64;
  return () => {
    x = (x + 0x9e3779b97f4a7c15n) & MASK_64;
    let z = x;
    z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK_64;
    z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & MASK_64;
    return z ^ (z >> 31n);
  };
}

function low(word: bigint): number {
  return Number(word & 0xffffffffn);
}

function high(word: bigint): number {
  return Number(word >> 32n);
}

/** FNV-1a, 32 bits, over the UTF-16 code units' low bytes (stream names are ASCII). */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ (text.charCodeAt(i) & 0xff), 0x01000193);
  return hash >>> 0;
}
