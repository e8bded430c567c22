// What a run folder's config.json holds: enough to build the same network again and to go on training.
import { CLASSIFIER_KINDS } from '@thaw/model';
import { z } from 'zod';
import { PRECISIONS, settings, WEIGHT_SOURCES } from '../options/settings.ts';

export const runConfig = z.object({
  thaw: z.string(),
  created: z.string(),
  command: z.string(),
  preset: z.string(),
  settings: settings.partial(),
  /** What was chosen of the settings, and why; absent where nothing was. */
  choices: z.array(z.object({ settings: settings.partial(), reason: z.string() })).optional(),
  data: z.object({
    name: z.string(),
    classes: z.array(z.string()).min(2),
    train: z.int(),
    validation: z.int(),
    test: z.int(),
    /** Of each part's images; absent in runs from before they were noted. */
    hashes: z.object({ train: z.string(), validation: z.string().optional(), test: z.string().optional() }).optional(),
  }),
  weights: z.object({ source: z.enum(WEIGHT_SOURCES), file: z.string().optional(), hash: z.string() }),
  network: z.object({
    thaw: z.string(),
    batchNorm: z.enum(['keras', 'frozen', 'train']),
    imageSize: z.int(),
    head: z.string(),
    seed: z.int(),
    /** Absent in runs from before there was a choice. */
    precision: z.enum(PRECISIONS).default('float32'),
  }),
  /** Of `thaw features --classifier`: what stands in place of a trained head. A logistic regression is a head. */
  classifier: z.object({ kind: z.enum(CLASSIFIER_KINDS), pca: z.int().optional() }).optional(),
  /** Of `thaw adapt`: which run's batch-norms were moved, to which images. */
  adapted: z.object({ run: z.string(), data: z.string(), images: z.int() }).optional(),
  device: z.object({
    backend: z.string(),
    name: z.string(),
    driver: z.string(),
    isSoftware: z.boolean(),
    /** What ran the frozen trunk, where that was measured or asked for; without it, the device. */
    trunk: z
      .object({
        engine: z.enum(['device', 'wasm']),
        threads: z.int().optional(),
        imagesPerSecond: z.object({ device: z.number(), wasm: z.number() }).optional(),
      })
      .optional(),
  }),
  /** Of a run on several: who started them, what they talk by, and what each computed on. */
  ranks: z
    .object({
      size: z.int(),
      launcher: z.string(),
      library: z.string(),
      devices: z.array(z.object({ host: z.string(), backend: z.string(), name: z.string(), driver: z.string() })),
    })
    .optional(),
  versions: z.record(z.string(), z.string()),
});

export type RunConfig = z.infer<typeof runConfig>;
