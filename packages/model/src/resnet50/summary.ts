// The layer table as Keras's summary() shows it, as data: rows and totals. Printing is the caller's.
import { batchNormMode, type BatchNormMode, type BatchNormPolicy } from '../freeze/batch-norm.ts';
import type { Layer, LayerKind } from './layer-table.ts';

/** A line of the summary: one layer. */
export interface SummaryRow {
  /** Its place in Keras's list, from 0. */
  index: number;
  /** Keras's name of it. */
  name: string;
  /** What it does. */
  kind: LayerKind;
  /** `(None, 16, 16, 64)` */
  outputShape: string;
  /** Values in all its variables. */
  parameters: number;
  /** Whether it trains. */
  trainable: boolean;
  /** Of batch-norm layers: which statistics it runs on while training. */
  batchNorm?: BatchNormMode;
  /** Names of the layers it reads. */
  connectedTo: readonly string[];
}

/** The layer table as Keras prints it. */
export interface Summary {
  /** One of each layer. */
  rows: SummaryRow[];
  /** Numbers of values. */
  totals: {
    /** In all variables. */
    parameters: number;
    /** Values that the optimizer changes. */
    trainable: number;
    /** The rest: frozen values, and every moving statistic. */
    nonTrainable: number;
  };
}

/** The summary of a layer table. @param trainable names of trainable layers, as resolveFreeze gives them */
export function summary(table: readonly Layer[], trainable: ReadonlySet<string>, policy: BatchNormPolicy): Summary {
  const rows = table.map((layer): SummaryRow => {
    const trains = trainable.has(layer.name);
    return {
      index: layer.index,
      name: layer.name,
      kind: layer.kind,
      outputShape: `(None, ${layer.outputShape.join(', ')})`,
      parameters: layer.parameters,
      trainable: trains,
      ...(layer.kind === 'BatchNormalization' ? { batchNorm: batchNormMode(policy, trains) } : {}),
      connectedTo: layer.inputs,
    };
  });
  const parameters = table.reduce((sum, layer) => sum + layer.parameters, 0);
  const trained = table
    .filter(({ name }) => trainable.has(name))
    .flatMap(({ variables }) => variables.filter(({ statistic }) => !statistic))
    .reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
  return { rows, totals: { parameters, trainable: trained, nonTrainable: parameters - trained } };
}
