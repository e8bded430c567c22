/**
 * Tables that come with the package: files that `thaw bench --tune` wrote into THAW_HOME/tuning, copied into `shipped/` as they
 * are and listed here. A GPU's table holds for the driver that it was measured with, as in THAW_HOME. On a software device what
 * is fast follows from the width of the processor's vectors, which its subgroup size tells, and hardly from the build of its
 * driver, of which every distribution has its own: there a table holds for all drivers with subgroups of that size.
 */
import llvmpipe from './shipped/llvmpipe-subgroups-8.json' with { type: 'json' };
import { fittingChoices, type Choices, type TunedDevice, type TunedKernel, type TuningTable } from './tuned.ts';

// What TypeScript knows of a JSON file are strings; that they are a table's words is a test's business.
/** The tables that come with the package. */
export const shippedTables = [llvmpipe] as readonly TuningTable[];

/** What of the tables holds for a device. @param current fingerprints of today's shaders that choices name */
export function shippedChoices(
  tables: readonly TuningTable[],
  device: TunedDevice,
  current: (choices: Choices) => Readonly<Partial<Record<TunedKernel, string>>>,
): Choices[] {
  const { adapter, isSoftware, subgroupSize } = device;
  const own = tables.filter(
    (table) => table.adapter === adapter && (!isSoftware || table.subgroupSize === subgroupSize),
  );
  return own.map((table) => {
    const driver = isSoftware ? table.driver : device.driver;
    return fittingChoices(table, { ...device, driver }, current).choices;
  });
}
