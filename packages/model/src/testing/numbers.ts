// Comparing arrays of numbers in tests.

/** |got - want| / |want| in the Frobenius norm, in float64. */
export function relativeError(got: ArrayLike<number>, want: ArrayLike<number>): number {
  if (got.length !== want.length) throw new Error(`relativeError: ${got.length} values against ${want.length}.`);
  let [difference, norm] = [0, 0];
  for (let i = 0; i < want.length; i++) {
    difference += ((got[i] ?? NaN) - (want[i] ?? NaN)) ** 2;
    norm += (want[i] ?? NaN) ** 2;
  }
  return Math.sqrt(difference / norm);
}
