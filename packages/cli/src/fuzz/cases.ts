// Hostile files by the hundred: valid ones, damaged in every way that comes to mind, and what a parser may do with them.
// 300 cases of each parser, or as many as THAW_FUZZ says (npm run test:long: 10,000); THAW_FUZZ_SEED gives others.
import fc from 'fast-check';
import { expect } from 'vitest';

export const CASES = Number(process.env['THAW_FUZZ'] ?? 300);
const SEED = Number(process.env['THAW_FUZZ_SEED'] ?? 20_261_126);
/** A test of so many cases may take a while. */
export const FUZZ_TIMEOUT = 120_000 + 100 * CASES;

/** Sizes that a header may claim: none, all, one too many, more than there is of anything. */
const EXTREMES = [0, 1, 127, 128, 255, 256, 32_767, 65_535, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 53 - 1, 2 ** 63];

interface Change {
  /** Where, as a share of the file. */
  readonly at: number;
  readonly kind: 'flip' | 'byte' | 'number' | 'cut' | 'remove' | 'insert' | 'repeat';
  readonly value: number;
  readonly length: number;
  readonly isLittle: boolean;
  readonly width: 1 | 2 | 4 | 8;
}

const change: fc.Arbitrary<Change> = fc.record({
  // Headers are at the front: half of the changes are there.
  at: fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 0.1, noNaN: true })),
  kind: fc.constantFrom('flip', 'byte', 'number', 'cut', 'remove', 'insert', 'repeat'),
  value: fc.oneof(fc.nat(255), fc.constantFrom(...EXTREMES)),
  length: fc.integer({ min: 1, max: 64 }),
  isLittle: fc.boolean(),
  width: fc.constantFrom(1, 2, 4, 8),
});

function changed(file: Buffer, { at, kind, value, length, isLittle, width }: Change): Buffer {
  const start = Math.min(Math.floor(at * file.length), Math.max(0, file.length - 1));
  const [before, after] = [file.subarray(0, start), file.subarray(start)];
  switch (kind) {
    case 'flip': {
      const copy = Buffer.from(file);
      if (copy.length > 0) copy.writeUInt8(copy.readUInt8(start) ^ (1 << (length % 8)), start);
      return copy;
    }
    case 'byte':
      return Buffer.concat([before, Buffer.of(value % 256), after.subarray(1)]);
    case 'number': {
      const bytes = Buffer.alloc(8);
      if (isLittle) bytes.writeBigUInt64LE(BigInt(value));
      else bytes.writeBigUInt64BE(BigInt(value));
      const number = isLittle ? bytes.subarray(0, width) : bytes.subarray(8 - width);
      return Buffer.concat([before, number, after.subarray(width)]);
    }
    case 'cut':
      return Buffer.from(before);
    case 'remove':
      return Buffer.concat([before, after.subarray(length)]);
    case 'insert':
      return Buffer.concat([before, Buffer.alloc(length, value % 256), after]);
    case 'repeat':
      return Buffer.concat([before, after.subarray(0, length), after]);
    default:
      return kind satisfies never;
  }
}

/** One of the valid files, changed one to six times; one in ten is noise altogether. */
export function damaged(valid: readonly Uint8Array[]): fc.Arbitrary<Buffer> {
  const mutated = fc
    .tuple(fc.constantFrom(...valid), fc.array(change, { minLength: 1, maxLength: 6 }))
    .map(([file, changes]) => changes.reduce(changed, Buffer.from(file)));
  const noise = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
  return fc.oneof({ arbitrary: mutated, weight: 9 }, { arbitrary: noise, weight: 1 });
}

/** Memory that a case may take besides what the file itself takes. */
const MOST_BYTES = 64 * 2 ** 20;
const MOST_MS = 5000;

/**
 * Runs `parse` on each case. It may succeed, or throw an error of the project's own; it may take neither long nor much memory.
 * @param own classes of its errors
 * @param label must be in every message: the file's name
 * @param count of cases
 */
export async function survives<T extends { readonly length: number }>(
  cases: fc.Arbitrary<T>,
  parse: (input: T) => unknown,
  own: readonly (new (...given: never[]) => Error)[],
  label: string,
  count = CASES,
): Promise<{ readonly taken: number; readonly refused: number }> {
  const counts = { taken: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(cases, async (input) => {
      const [before, start] = [process.memoryUsage().arrayBuffers, performance.now()];
      try {
        await parse(input);
        counts.taken++;
      } catch (error) {
        if (!own.some((one) => error instanceof one)) throw error;
        expect(error).toMatchObject({ message: expect.stringContaining(label) as string });
        counts.refused++;
      }
      expect(performance.now() - start).toBeLessThan(MOST_MS);
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(MOST_BYTES + 4 * input.length);
    }),
    { numRuns: count, seed: SEED, endOnFailure: CASES > 1000 },
  );
  expect(counts.refused).toBeGreaterThan(count / 10);
  return counts;
}
