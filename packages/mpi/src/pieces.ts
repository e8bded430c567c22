// Cutting what is longer than one call of MPI takes: its counts are 32-bit integers.

/** Half of what a signed 32-bit count of bytes can say, as libraries add to it. */
export const PIECE_BYTES = 2 ** 30;

/** [from, to) of pieces of at most `most` of `length` things, in order; none of nothing. */
export function pieces(length: number, most: number): [from: number, to: number][] {
  const count = Math.ceil(length / most);
  return Array.from({ length: count }, (_, i) => [i * most, Math.min(length, (i + 1) * most)]);
}
