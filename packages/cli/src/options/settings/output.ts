// Settings of what is written, and how.
import { z } from 'zod';
import { flag, text, whole, words, type OptionsOf } from './info.ts';

export const EXPORT_FORMATS = ['safetensors', 'onnx', 'tfjs', 'keras'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

export const ANSWER_FORMATS = ['table', 'csv', 'json', 'jsonl'] as const;
export type AnswerFormat = (typeof ANSWER_FORMATS)[number];

export const outputSettings = {
  output: z.string().min(1),
  /** Each command narrows it to its own. */
  format: z.enum([...EXPORT_FORMATS, ...ANSWER_FORMATS]),
  fold: z.boolean(),
  half: z.boolean(),
  topK: z.int().min(1),
  csv: z.boolean(),
  json: z.boolean(),
  quiet: z.boolean(),
} as const;

export const outputOptions: OptionsOf<typeof outputSettings> = {
  output: { flags: '--run-dir, --output <path>', description: 'where to write', ...text('a path') },
  format: {
    flags: '--format <name>',
    description:
      "safetensors (torchvision's names, for PyTorch), onnx, tfjs (a layers model, for browsers), keras (HDF5 weights in Keras's layout)",
    ...words([...EXPORT_FORMATS, ...ANSWER_FORMATS]),
  },
  fold: {
    flags: '--fold',
    description: 'make batch-norms part of the convolutions before them: smaller, faster, not to be trained further',
    ...flag,
  },
  half: { flags: '--half', description: 'filters and matrices in float16: half the size', ...flag },
  topK: { flags: '--top-k <n>', description: 'how many classes to print for each image', ...whole(1) },
  csv: { flags: '--csv', description: 'short for --format csv', ...flag },
  json: {
    flags: '--json',
    description: 'one JSON event a line on standard output, text on standard error',
    ...flag,
  },
  quiet: { flags: '--quiet', description: 'only the result and warnings', ...flag },
};
