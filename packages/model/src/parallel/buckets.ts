// Gradients in buckets, each of which leaves the device as soon as its last gradient is there.

/** Bytes of gradients after which a bucket is full: DistributedDataParallel's (Li et al., "PyTorch Distributed", VLDB 2020). */
export const BUCKET_BYTES = 25 * 2 ** 20;

/**
 * Deals variables to buckets.
 * @param names in the order in which their gradients are complete: that of the backward pass
 * @param bytesOf a variable's gradient
 * @param bucketBytes after which a bucket is full
 */
export function gradientBuckets(
  names: readonly string[],
  bytesOf: (name: string) => number,
  bucketBytes = BUCKET_BYTES,
): string[][] {
  const buckets: string[][] = [];
  let bytes = Infinity;
  for (const name of names) {
    if (bytes >= bucketBytes) {
      buckets.push([]);
      bytes = 0;
    }
    buckets.at(-1)?.push(name);
    bytes += bytesOf(name);
  }
  return buckets;
}
