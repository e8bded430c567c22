// Rows of --with: of bench/pytorch_step.py, or of an earlier thaw bench step --json.
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { z } from 'zod';
import { explain, UsageError } from '../../errors.ts';

const spreadShape = z.object({ median: z.number(), min: z.number(), max: z.number(), rounds: z.number() });
const rowShape = z.object({
  case: z.string(),
  engine: z.string(),
  imageSize: z.number(),
  batchSize: z.number(),
  imagesPerSecond: z.number(),
  milliseconds: spreadShape,
  floorMilliseconds: z.number().optional(),
  hostMilliseconds: spreadShape.optional(),
  dispatches: z.number().optional(),
  peakBytes: z.number().optional(),
});
const fileShape = z.object({
  device: z.union([z.string(), z.object({ name: z.string() }).transform(({ name }) => name)]).optional(),
  versions: z.record(z.string(), z.string()).default({}),
  rows: z.array(rowShape),
});

/** What of a row goes into the table. */
export type GivenRow = z.infer<typeof rowShape>;

export interface GivenRows {
  readonly rows: readonly GivenRow[];
  /** Where they come from, in a sentence. */
  readonly about: string;
}

/**
 * Reads the file's rows of steps of this size. An engine that is also measured here is told apart by the file's name.
 * @throws UsageError when the file is no such JSON, or has no rows of that size
 */
export async function readGiven(path: string, size: { imageSize: number; batchSize: number }): Promise<GivenRows> {
  const content = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new UsageError(`--with: ${explain(error)}`);
  });
  const file = parse(path, content);
  const { imageSize, batchSize } = size;
  const rows = file.rows.filter((row) => row.imageSize === imageSize && row.batchSize === batchSize);
  if (rows.length === 0) {
    const sizes = new Set(file.rows.map((row) => `${row.imageSize} x ${row.imageSize} in batches of ${row.batchSize}`));
    throw new UsageError(
      `--with: ${path} has no step of ${imageSize} x ${imageSize} images in batches of ${batchSize}; it has ${[...sizes].join('; ') || 'none'}.`,
    );
  }
  const name = basename(path);
  const named = rows.map((row) =>
    /^(thaw|tfjs-)/.test(row.engine) ? { ...row, engine: `${row.engine} (${name})` } : row,
  );
  const versions = Object.entries(file.versions).map(([tool, version]) => `${tool} ${version}`);
  return { rows: named, about: `Of ${name}: ${[file.device ?? 'an unnamed device', ...versions].join(', ')}.` };
}

function parse(path: string, content: string): z.infer<typeof fileShape> {
  try {
    // The last line, where --json has written others before it.
    return fileShape.parse(JSON.parse(content.trim().split('\n').at(-1) ?? ''));
  } catch (error) {
    throw new UsageError(
      `--with: ${path} does not end in the JSON that bench/pytorch_step.py or thaw bench step --json prints: ${explain(error)}`,
    );
  }
}
