/** float32 to the nearest half, ties to even (IEEE 754 binary16), as bits; beyond 65504 it is infinite. */
const words = new Float32Array(1);
const bits = new Uint32Array(words.buffer);

/** The bits of the half that is nearest to each value. */
export function halfBits(values: Float32Array): Uint16Array {
  return Uint16Array.from(values, (value) => {
    words[0] = value;
    const word = bits[0] ?? 0;
    const sign = (word >>> 16) & 0x8000;
    const magnitude = word & 0x7fffffff;
    if (magnitude > 0x7f800000) return sign | 0x7e00;
    // 65520 and above round to infinity.
    if (magnitude >= 0x477ff000) return sign | 0x7c00;
    if (magnitude >= 0x38800000) return sign | rounded(magnitude - 0x38000000, 13);
    // Below 2^-14 halves are multiples of 2^-24: the fraction, its leading one put back, is shifted down to them.
    const shift = 126 - (magnitude >>> 23);
    return shift > 24 ? sign : sign | rounded((magnitude & 0x7fffff) | 0x800000, shift);
  });
}

/** value / 2^shift, to the nearest whole number, ties to even. */
function rounded(value: number, shift: number): number {
  const down = value >>> shift;
  const rest = value - down * 2 ** shift;
  const half = 2 ** (shift - 1);
  return rest > half || (rest === half && (down & 1) === 1) ? down + 1 : down;
}
