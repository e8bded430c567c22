// Placement of a recorded step's tensors.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { planMemory, type Lifetime } from './memory-plan.ts';

const lifetime = fc
  .record({ size: fc.integer({ min: 1, max: 50 }), first: fc.nat(30), length: fc.nat(10) })
  .map(({ size, first, length }): Lifetime => ({ size, first, last: first + length }));

test('tensors alive at one dispatch never share a buffer, and each fits into its own', () => {
  fc.assert(
    fc.property(fc.array(lifetime, { maxLength: 40 }), fc.array(fc.integer({ min: 1, max: 50 })), (all, existing) => {
      const { bufferOf, sizes } = planMemory(all, existing);
      expect(sizes.slice(0, existing.length)).toEqual(existing);
      all.forEach((one, i) => {
        expect(sizes[bufferOf[i]!]).toBeGreaterThanOrEqual(one.size);
        all.slice(0, i).forEach((other, j) => {
          if (bufferOf[i] === bufferOf[j]) expect(one.last < other.first || one.first > other.last).toBe(true);
        });
      });
    }),
  );
});

test('a chain of equal tensors, each read by the next dispatch, takes two buffers', () => {
  const chain = Array.from({ length: 20 }, (_, i) => ({ size: 8, first: i, last: i + 1 }));
  expect(planMemory(chain).sizes).toEqual([8, 8]);
});

test('buffers that are there are used before new ones are made', () => {
  expect(planMemory([{ size: 6, first: 0, last: 1 }, { size: 4, first: 1, last: 2 }], [5, 10]).sizes).toEqual([5, 10]); // prettier-ignore
});
