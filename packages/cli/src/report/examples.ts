// Picks the images that a report shows: recognised ones, a different class each, and the surest mistakes.
import type { Evaluation } from '@thaw/model';
import type { Part } from '../session/data.ts';
import { imageUri } from './images.ts';
import type { ExampleImage } from './types.ts';

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

/** The picked images, ready to show; one that can no longer be read is left out. */
export async function exampleImages(
  evaluation: Evaluation,
  { dataset, indices }: Part,
): Promise<{ right: ExampleImage[]; wrong: ExampleImage[] }> {
  const { classes } = dataset;
  const picked = pickExamples(evaluation, classes.length);
  const show = async (position: number): Promise<ExampleImage[]> => {
    const index = indices[position] ?? 0;
    const predicted = evaluation.predictions[position] ?? 0;
    const src = await imageUri(dataset, index).catch(() => undefined);
    if (src === undefined) return [];
    return [
      {
        src,
        actual: classes[evaluation.labels[position] ?? 0] ?? '',
        predicted: classes[predicted] ?? '',
        confidence: evaluation.probabilities[position * classes.length + predicted] ?? 0,
        where: dataset.describe(index),
      },
    ];
  };
  const all = async (positions: readonly number[]): Promise<ExampleImage[]> =>
    (await Promise.all(positions.map(show))).flat();
  return { right: await all(picked.right), wrong: await all(picked.wrong) };
}
