// Batches that the device has no memory for run in pieces; a person is told of that once, whatever number of passes meet it.
import type { OnSmallerBatch } from '@thaw/model';
import type { Output } from '../output.ts';
import { plural } from '../text/format.ts';

const told = new WeakSet<Output>();

export const tellSmallerBatches =
  (output: Output): OnSmallerBatch =>
  (size) => {
    if (told.has(output)) return;
    told.add(output);
    output.warn(`The device has no memory for a whole batch at a time; going on with ${plural(size, 'image')}, to the same results.`); // prettier-ignore
  };
