// thaw export: what a run trained, for PyTorch, ONNX, TensorFlow.js or Keras.
import { join, relative, resolve } from 'node:path';
import { writeAtomically } from '@thaw/model/node';
import { z } from 'zod';
import { CommandError, UsageError } from '../errors.ts';
import { EXPORT_FORMATS, settings as allSettings } from '../options/settings.ts';
import { byteProgress } from '../progress/bytes.ts';
import { readRunConfig } from '../runs/folder.ts';
import { EXPORT_NAME, exportClassifier, isWholeModel, trainedClassifier } from '../session/exports.ts';
import { findHomes } from '../session/home.ts';
import { weightsOfRun } from '../session/run.ts';
import { bytes } from '../text/format.ts';
import { defineCommand, type Context } from './command.ts';

const schema = allSettings
  .pick({
    checkpoint: true,
    weightsFile: true,
    format: true,
    fold: true,
    half: true,
    output: true,
    config: true,
    quiet: true,
    json: true,
    verbose: true,
  })
  .extend({ format: z.enum(EXPORT_FORMATS) })
  .partial({ weightsFile: true, output: true, config: true });

export const exportRun = defineCommand({
  name: 'export',
  summary: 'write what a run trained for other programs',
  description:
    'Writes the network of a run for PyTorch, ONNX Runtime, TensorFlow.js or Keras. onnx and tfjs hold the whole computation,\nfrom RGB pixels of 0 to 255 to probabilities, and the names of the classes; safetensors and keras hold the weights.',
  argument: { name: '<run>', description: 'the run folder' },
  options: [
    ['checkpoint', { default: 'best' }],
    'weightsFile',
    ['format', { default: 'onnx' }],
    ['output', { description: 'the file; of tfjs the folder', default: 'in the run folder' }],
    'fold', 'half', 'json', 'quiet', 'config', 'verbose',
  ], // prettier-ignore
  examples: [
    ['thaw export runs/2026-11-24-101500-photos-custom', 'model.onnx in the run folder'],
    ['thaw export runs/... --format tfjs --fold --half --output site/model', 'for a web page, as small as it gets'],
    ['thaw export runs/... --format safetensors', "for torchvision's resnet50"],
  ],
  schema,
  defaults: { checkpoint: 'best', format: 'onnx', fold: false, half: false, quiet: false, json: false, verbose: false },
  run: exportCommand,
});

async function exportCommand(
  { checkpoint, weightsFile, format, fold, half, output: named }: z.infer<typeof schema>,
  { io, output }: Context,
  args: readonly string[],
): Promise<void> {
  if (fold && !isWholeModel(format))
    throw new UsageError(`--fold: ${format} holds the weights of a network that has its batch-norms; use onnx or tfjs, or leave it out.`); // prettier-ignore
  if (half && format === 'keras')
    throw new UsageError('--half: Keras reads weights in float32; leave it out, or use another --format.');
  const folder = resolve(io.cwd, args[0] ?? '.');
  const config = await readRunConfig(folder);
  if (config.classifier && config.classifier.kind !== 'logistic')
    throw new CommandError(`${folder} holds a classifier of kind ${config.classifier.kind}, which these formats cannot express; export a run of thaw train, or of --classifier logistic.`); // prettier-ignore
  const { weights } = await weightsOfRun(config, weightsFile, await findHomes(io), byteProgress(output));
  const trained = await trainedClassifier(folder, config, weights, checkpoint, (note) => output.warn(note));
  const path = named === undefined ? join(folder, EXPORT_NAME[format]) : resolve(io.cwd, named);
  const { files, usage, notes } = await exportClassifier(trained, { format, fold, half, path });
  for (const { path: file, bytes: content } of files) await writeAtomically(file, content);
  const shown = (file: string): string => relative(io.cwd, file) || '.';
  output.event('exported', {
    run: folder,
    format,
    files: files.map(({ path: file, bytes: { byteLength } }) => ({ file, bytes: byteLength })),
    classes: config.data.classes,
    notes,
  });
  if (output.json) return;
  for (const { path: file, bytes: content } of files) output.result(`${shown(file)}  ${bytes(content.byteLength)}`);
  for (const line of usage) output.say(`  ${line}`);
  for (const note of notes) output.warn(note);
}
