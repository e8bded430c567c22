// What a training step has to do at least: the floor under its time.
import { layerTable, resolveFreeze, VARIANTS, type Layer } from '@thaw/model';
import type { Work } from '../measure/statistics.ts';
import { tapsInside } from './kernel-cases.ts';
import { VARIANT, type StepSpec } from './step.ts';

const NOTHING: Work = { flops: 0, bytes: 0 };
const plus = (a: Work, b: Work): Work => ({ flops: a.flops + b.flops, bytes: a.bytes + b.bytes });
const times = (count: number, { flops, bytes }: Work): Work => ({ flops: count * flops, bytes: count * bytes });

type StepSize = Omit<StepSpec, 'kind' | 'seed'>;

/** What a layer has to do in a step. */
export interface LayerWork {
  /** Which layer. */
  readonly layer: Layer;
  /** Whether it trains. */
  readonly trains: boolean;
  /** From its inputs to its output. */
  readonly forward: Work;
  /** From its output's gradient to those of its inputs and variables, as far as something below it or itself trains. */
  readonly backward: Work;
  /** Of its variables, by Adam. */
  readonly update: Work;
}

/**
 * Operations of the convolutions, on pixels inside the image, and the bytes that convolutions, training batch-norms and Adam
 * must move if each keeps nothing for the next. Frozen batch-norm, ReLU and additions cost nothing here, as they can be
 * part of a convolution. Undefined of the head alone, which is all overhead.
 */
export function workOfStep(spec: StepSize): Work | undefined {
  if (spec.part === 'head') return undefined;
  return layerWorks(spec)
    .flatMap(({ forward, backward, update }) => [forward, backward, update])
    .reduce(plus, NOTHING);
}

/** The trunk's layers in the order of the forward pass, as `workOfStep` adds them up; none of the head alone. */
export function layerWorks({ part, imageSize, batchSize, precision }: StepSize): LayerWork[] {
  if (part === 'head') return [];
  const table = layerTable(VARIANTS[VARIANT], { imageSize });
  const stored = precision === 'mixed' ? 2 : 4;
  const byName = new Map(table.map((layer) => [layer.name, layer]));
  const trainable = part === 'features' ? new Set<string>() : resolveFreeze(part.thaw, table);
  const first = table.findIndex(({ name }) => trainable.has(name));
  return table.map((layer): LayerWork => {
    const trains = trainable.has(layer.name);
    const reachesDown = first !== -1 && layer.index > first;
    const update: Work = trains ? { flops: 12 * layer.parameters, bytes: 28 * layer.parameters } : NOTHING;
    if (layer.kind === 'Conv2D') {
      const forward = convolution(layer, byName, batchSize, stored);
      return { layer, trains, forward, backward: times(Number(reachesDown) + Number(trains), forward), update };
    }
    if (layer.kind === 'BatchNormalization' && trains) {
      const size = batchSize * layer.outputShape.reduce((product, length) => product * length, 1);
      // Forward reads x and writes y; backward reads dy and x and writes dx.
      const forward = { flops: 8 * size, bytes: stored * 2 * size };
      return { layer, trains, forward, backward: { flops: 12 * size, bytes: stored * 3 * size }, update };
    }
    return { layer, trains, forward: NOTHING, backward: NOTHING, update };
  });
}

/**
 * One pass of a convolution: forward and both gradients multiply and move the same.
 * @param stored bytes of a number of an activation or filter
 */
function convolution(layer: Layer, byName: ReadonlyMap<string, Layer>, batch: number, stored: number): Work {
  const before = byName.get(layer.inputs[0] ?? '');
  // Padding is a layer of its own in the table; here it is the convolution's.
  const source = before?.kind === 'ZeroPadding2D' ? byName.get(before.inputs[0] ?? '') : before;
  const kernel = layer.variables.find(({ name }) => name.endsWith('/kernel'))?.shape;
  const [inH = 0, inW = 0, inC = 0] = source?.outputShape ?? [];
  const [outH = 0, outW = 0, outC = 0] = layer.outputShape;
  const [kH = 0, kW = 0] = kernel ?? [];
  const taps = (size: number, out: number, k: number): number =>
    tapsInside(size, out, k, Math.ceil(size / out), 1, k >> 1);
  const floats = batch * (inH * inW * inC + outH * outW * outC) + kH * kW * inC * outC;
  return { flops: 2 * batch * taps(inH, outH, kH) * taps(inW, outW, kW) * inC * outC, bytes: stored * floats };
}
