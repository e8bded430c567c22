// Picks the images that a report shows: recognised ones, a different class each, and the surest mistakes.
import { batches } from '@thaw/data';
import { gradCam, type Classifier, type Evaluation } from '@thaw/model';
import * as tf from '@tensorflow/tfjs-core';
import { explain } from '../errors.ts';
import type { Part } from '../session/data.ts';
import { heatUri, imageUri, type HeatMap } from './images.ts';
import type { ExampleImage, Examples } from './types.ts';

/** Images of each kind. */
const SHOWN = 10;

/** Positions in the evaluation, best first. */
export function pickExamples(
  { predictions, probabilities, labels }: Evaluation,
  classes: number,
  shown = SHOWN,
): { right: number[]; wrong: number[] } {
  const confidence = (i: number): number => probabilities[i * classes + (predictions[i] ?? 0)] ?? 0;
  const all = Array.from(labels, (_, i) => i).sort((a, b) => confidence(b) - confidence(a) || a - b);
  const right = all.filter((i) => predictions[i] === labels[i]);
  const wrong = all.filter((i) => predictions[i] !== labels[i]);
  // Classes take turns, so that neither row is ten times the same; a mistake's turn goes by what it was taken for.
  return {
    right: inTurn(right, (i) => labels[i] ?? 0, shown),
    wrong: inTurn(wrong, (i) => (labels[i] ?? 0) * classes + (predictions[i] ?? 0), shown),
  };
}

function inTurn(ranked: readonly number[], kindOf: (i: number) => number, shown: number): number[] {
  const queues = new Map<number, number[]>();
  for (const i of ranked) {
    const queue = queues.get(kindOf(i));
    if (queue) queue.push(i);
    else queues.set(kindOf(i), [i]);
  }
  const chosen: number[] = [];
  for (let round = 0; chosen.length < Math.min(shown, ranked.length); round++) {
    for (const queue of queues.values()) {
      const next = queue[round];
      if (next !== undefined && chosen.length < shown) chosen.push(next);
    }
  }
  return chosen;
}

/** What was evaluated, with the network that was. */
export interface Evaluated {
  readonly classifier: Classifier;
  readonly evaluation: Evaluation;
  /** One image for each prediction. */
  readonly part: Part;
  readonly imageSize: number;
}

/**
 * The picked images, ready to show, each with where its class was seen; one that can no longer be read is left out.
 * @param onNote told why where that could not be computed
 */
export async function exampleImages(
  { classifier, evaluation, part, imageSize }: Evaluated,
  onNote: (note: string) => void,
): Promise<Examples> {
  const { dataset, indices } = part;
  const { classes } = dataset;
  const picked = pickExamples(evaluation, classes.length);
  const looked = await heatMaps(classifier, part, imageSize, [...picked.right, ...picked.wrong], evaluation).catch(
    (error: unknown) => onNote(`the report's images are without heat maps: ${explain(error)}`),
  );
  const show = async (position: number): Promise<ExampleImage[]> => {
    const index = indices[position] ?? 0;
    const predicted = evaluation.predictions[position] ?? 0;
    const src = await imageUri(dataset, index).catch(() => undefined);
    if (src === undefined) return [];
    const map = looked?.maps.get(position);
    return [
      {
        src,
        actual: classes[evaluation.labels[position] ?? 0] ?? '',
        predicted: classes[predicted] ?? '',
        confidence: evaluation.probabilities[position * classes.length + predicted] ?? 0,
        where: dataset.describe(index),
        heat: map && (await heatUri(map)),
      },
    ];
  };
  const all = async (positions: readonly number[]): Promise<ExampleImage[]> =>
    (await Promise.all(positions.map(show))).flat();
  return { right: await all(picked.right), wrong: await all(picked.wrong), heatOf: looked?.of };
}

/** Images at a time: a map of conv3 at 1024 pixels is 32 MiB an image. */
const AT_ONCE = 8;

/** Where the predicted class was seen in each image, by its position in the evaluation. */
async function heatMaps(
  classifier: Classifier,
  { dataset, indices }: Part,
  imageSize: number,
  positions: readonly number[],
  { predictions }: Evaluation,
): Promise<{ maps: ReadonlyMap<number, HeatMap>; of: string } | undefined> {
  const { preprocessing } = classifier.network.variant;
  const maps = new Map<number, HeatMap>();
  let of: string | undefined;
  const positionOf = new Map(positions.map((position) => [indices[position] ?? 0, position]));
  const chosen = Int32Array.from(positionOf.keys());
  for await (const batch of batches(dataset, { indices: chosen, batchSize: AT_ONCE, imageSize, preprocessing })) {
    const images = tf.tensor4d(batch.images, [batch.size, imageSize, imageSize, 3]);
    const at = Array.from(batch.indices, (index) => positionOf.get(index) ?? 0);
    try {
      const asked = at.map((position) => predictions[position] ?? 0);
      const { layer, height, width, values } = await gradCam(classifier, images, asked);
      of = `${layer}, ${height} x ${width}`;
      const size = height * width;
      for (const [i, position] of at.entries())
        maps.set(position, { height, width, values: values.subarray(i * size, (i + 1) * size) });
    } finally {
      images.dispose();
    }
  }
  return of === undefined ? undefined : { maps, of };
}
