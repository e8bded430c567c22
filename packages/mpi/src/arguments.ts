// What the collective calls ask of their arguments.
import { MpiError } from './errors.ts';

/**
 * Whether a sum goes into its own summands or elsewhere.
 * @throws MpiError where the two differ in length or kind, or overlap in part
 */
export function requireSame<Values extends Float32Array | Float64Array>(
  values: Values,
  into: Values,
): 'in place' | 'elsewhere' {
  if (values.length !== into.length || values.BYTES_PER_ELEMENT !== into.BYTES_PER_ELEMENT)
    throw new MpiError(
      `a sum of ${values.length} numbers of ${values.BYTES_PER_ELEMENT} bytes does not fit into ${into.length} of ${into.BYTES_PER_ELEMENT}`,
    );
  if (values.buffer !== into.buffer) return 'elsewhere';
  const apart = Math.abs(values.byteOffset - into.byteOffset);
  if (apart === 0) return 'in place';
  if (apart < values.byteLength)
    throw new MpiError('the numbers to sum and the place for the sum overlap; they must be the same or apart');
  return 'elsewhere';
}

/** Bytes of each of `size` equal parts. @throws MpiError where they are not equal */
export function requireParts(bytes: Uint8Array, size: number): number {
  if (bytes.length % size !== 0)
    throw new MpiError(`${bytes.length} bytes cannot be cut into ${size} equal parts, one for each rank`);
  return bytes.length / size;
}
