/** Dropout's definition: the hash in 32-bit whole numbers, the rest in float64. */
const hash = (v: number): number => {
  const state = (Math.imul(v, 747796405) + 2891336453) >>> 0;
  const word = Math.imul((state >>> ((state >>> 28) + 4)) ^ state, 277803737) >>> 0;
  return ((word >>> 22) ^ word) >>> 0;
};

export function dropoutReference(x: ArrayLike<number>, rate: number, salt: number, seed: number): number[] {
  const key = hash(hash(salt) ^ seed);
  return Array.from(x, (v, i) => ((hash(i ^ key) >>> 8) * 2 ** -24 >= Math.fround(rate) ? v / (1 - rate) : 0));
}
