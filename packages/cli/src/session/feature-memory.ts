// Features of a whole part are in memory at once; told before the trunk has run for hours in vain.
import { totalmem } from 'node:os';
import { CommandError } from '../errors.ts';
import { bytes, count } from '../text/format.ts';

/** Share of the memory that features may take: keeping them in the cache, and the training, need as much again. */
const MOST_SHARE = 0.5;

/** What this process may use, in bytes. */
export const processMemory = (): number => Math.min(totalmem(), process.constrainedMemory() || Infinity);

/** Whether the features of so many images, of `width` values each, take at most half of the memory. */
export const featuresFit = (images: number, width: number, memory = processMemory()): boolean =>
  images * width * Float32Array.BYTES_PER_ELEMENT <= MOST_SHARE * memory;

/**
 * @param images whose features are held at once
 * @param width values of each
 * @param remedy what to do instead
 * @throws CommandError where they take more than half of the memory
 */
export function checkFeaturesFit(images: number, width: number, remedy: string, memory = processMemory()): void {
  if (featuresFit(images, width, memory)) return;
  const wanted = images * width * Float32Array.BYTES_PER_ELEMENT;
  throw new CommandError(
    `The features of ${count(images)} images take ${bytes(wanted)}, more than half of the ${bytes(memory)} of memory here. ${remedy}`,
  );
}
