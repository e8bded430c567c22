// This machine's own tables of tuned tilings: THAW_HOME/tuning holds one file per adapter.
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fittingChoices, currentFingerprints, TUNED_KERNELS, VARIANTS, type TunedDevice, type TuningTable } from '@thaw/kernels/tuning'; // prettier-ignore
import type { ThawBackend } from '@thaw/kernels';
import { z } from 'zod';
import { explain } from '../errors.ts';

const choiceShape = z.strictObject({
  variant: z.enum(VARIANTS),
  tuning: z.record(z.string().regex(/^[A-Z_]+$/), z.int().min(1).max(1024)),
});
export const tableShape = z.strictObject({
  adapter: z.string(),
  driver: z.string(),
  subgroupSize: z.int().min(1).optional(),
  date: z.iso.date(),
  shaders: z.partialRecord(z.enum(TUNED_KERNELS), z.string()),
  choices: z.partialRecord(z.enum(TUNED_KERNELS), z.record(z.string(), choiceShape)),
});

const fileOf = (home: string, adapter: string): string =>
  join(home, 'tuning', `${adapter.toLowerCase().replace(/[^a-z0-9]+/g, '-')}.json`);

/** Writes an adapter's table, whole or not at all. @returns its path */
export async function saveTuning(home: string, table: TuningTable): Promise<string> {
  const path = fileOf(home, table.adapter);
  await mkdir(join(home, 'tuning'), { recursive: true });
  const part = `${path}.${process.pid}.part`;
  await writeFile(part, `${JSON.stringify(table, undefined, 2)}\n`);
  await rename(part, path);
  return path;
}

/** The table that this machine has for an adapter, if any. @throws Error naming the file when it is damaged */
export async function loadTuning(homes: readonly string[], adapter: string): Promise<TuningTable | undefined> {
  for (const home of homes) {
    const path = fileOf(home, adapter);
    const content = await readFile(path, 'utf8').catch(() => undefined);
    if (content === undefined) continue;
    try {
      return tableShape.parse(JSON.parse(content));
    } catch (error) {
      throw new Error(`${path} is not a table of tilings: ${explain(error)}`, { cause: error });
    }
  }
  return undefined;
}

/** Gives the backend this machine's own tilings, over those that come with Thaw. */
export async function applyTuning(
  gpu: Pick<ThawBackend['gpu'], 'kind' | 'tune'>,
  found: Pick<TunedDevice, 'adapter' | 'driver'>,
  homes: readonly string[],
  onNote: (note: string) => void,
): Promise<void> {
  const device = { ...found, ...gpu.kind };
  try {
    const table = await loadTuning(homes, device.adapter);
    if (!table) return;
    const { choices, ignored } = fittingChoices(table, device, currentFingerprints);
    gpu.tune(choices);
    if (ignored !== undefined)
      onNote(`The tuning of ${device.adapter} is ignored: ${ignored}. thaw bench --tune renews it.`);
  } catch (error) {
    onNote(`The tuning is ignored: ${explain(error)}. thaw bench --tune renews it.`);
  }
}
