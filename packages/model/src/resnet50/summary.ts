// The layer table as Keras's summary() shows it, as data: rows and totals. Printing is the caller's.
import { batchNormMode, type BatchNormMode, type BatchNormPolicy } from '../freeze/batch-norm.ts';
import type { Layer, LayerKind } from './layer-table.ts';

export interface SummaryRow {
  index: number;
  name: string;
  kind: LayerKind;
  /** `(None, 16, 16, 64)` */
  outputShape: string;
  parameters: number;
  trainable: boolean;
  /** Of batch-norm layers: which statistics it runs on while training. */
  batchNorm?: BatchNormMode;
  /** Names of the layers it reads. */
  connectedTo: readonly string[];
}

export interface Summary {
  rows: SummaryRow[];
  totals: {
    parameters: number;
    /** Values that the optimizer changes. */
    trainable: number;
    /** The rest: frozen values, and every moving statistic. */
    nonTrainable: number;
  };
}

/** @param trainable names of trainable layers, as resolveFreeze gives them */
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
