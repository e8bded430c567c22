// thaw summary: the layer table, as Keras's summary() prints it, with what is trainable and how batch-norm runs.
import { layerTable, summary as summarise, variantOfSource, VARIANTS, type SummaryRow } from '@thaw/model';
import type { z } from 'zod';
import { settings as allSettings } from '../options/settings.ts';
import { thawedLayers } from '../session/classifier.ts';
import { findHomes } from '../session/home.ts';
import { presentWeights } from '../session/weights.ts';
import { count } from '../text/format.ts';
import { table } from '../text/table.ts';
import { defineCommand, type Context } from './command.ts';

const schema = allSettings
  .pick({
    preset: true,
    imageSize: true,
    weights: true,
    thaw: true,
    batchNorm: true,
    top: true,
    config: true,
    quiet: true,
    json: true,
    verbose: true,
  })
  .partial({ preset: true, weights: true, config: true });

export const summary = defineCommand({
  name: 'summary',
  summary: 'print the layer table',
  description:
    "Prints ResNet-50's layers under their Keras names and indices, as Keras's summary() does:\nindex, name, kind, output shape, parameters, what it reads, whether it trains, batch-norm mode.",
  options: [
    ['imageSize', { default: '32' }],
    'preset',
    [
      'weights',
      {
        description: 'whose network: keras, torchvision or tf-official differ in padding, strides and biases',
        default: 'what is in THAW_HOME, else keras',
      },
    ],
    ['thaw', { default: 'none' }],
    ['batchNorm', { default: 'keras' }],
    'top',
    'json',
    'quiet',
    'config',
    'verbose',
  ],
  examples: [
    ['thaw summary --thaw=-42:', 'what the last 42 layers are'],
    ['thaw summary --weights keras --image-size 224 --top', "Keras's own ResNet50"],
    ['thaw summary --thaw conv5,/_bn$/', 'the last stage and every batch-norm'],
  ],
  schema,
  defaults: { imageSize: 32, thaw: 'none', batchNorm: 'keras', top: false, quiet: false, json: false, verbose: false },
  ranks: 'first',
  run: summaryCommand,
});

async function summaryCommand(
  { imageSize, weights, thaw, batchNorm, top }: z.infer<typeof schema>,
  { io, output }: Context,
): Promise<void> {
  const source = weights ?? (await presentWeights(await findHomes(io)))?.source ?? 'keras';
  const variant = VARIANTS[variantOfSource(source)];
  const classes = variant.name === 'tf-official' ? 1001 : 1000;
  const layers = layerTable(variant, { imageSize, includeTop: top, classes });
  const { rows, totals } = summarise(layers, thawedLayers(thaw), batchNorm);
  for (const row of rows) output.event('layer', { ...row });
  output.event('totals', { ...totals });
  if (output.json) return;
  const right = 'right' as const;
  output.result(
    `ResNet-50, ${variant.name} variant, ${imageSize} x ${imageSize} images, --thaw ${thaw}, --batch-norm ${batchNorm}\n`,
  );
  output.result(
    table(
      [
        { title: '#', align: right },
        { title: 'layer (kind)' },
        { title: 'output shape' },
        { title: 'params', align: right },
        { title: 'connected to' },
        { title: 'trains' },
        { title: 'batch-norm' },
      ],
      rows.map((row) => cells(row)),
      output.colors,
    ),
  );
  output.result(
    [
      '',
      `total params          ${count(totals.parameters)}`,
      `trainable params      ${count(totals.trainable)}`,
      `non-trainable params  ${count(totals.nonTrainable)}`,
    ].join('\n'),
  );
}

function cells({
  index,
  name,
  kind,
  outputShape,
  parameters,
  connectedTo,
  trainable,
  batchNorm,
}: SummaryRow): string[] {
  return [
    String(index),
    `${name} (${kind})`,
    outputShape,
    count(parameters),
    connectedTo.join(', '),
    trainable ? 'yes' : 'no',
    batchNorm ?? '',
  ];
}
