/** Tables that come with the package, made by `thaw bench --tune` on the machines at hand. */
import type { TuningTable } from './tuned.ts';

export const shippedTables: readonly TuningTable[] = [];
