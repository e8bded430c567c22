// What the ranks of a group agree on before each step: how many images all of them have, whether to stop, whether to save.
import type { StepTotals } from '../training/step.ts';
import type { Group } from './group.ts';

/** What a rank brings to a step. */
export interface TurnRequest {
  /** Images of this rank's batch; may be none. */
  readonly images: number;
  /** Whether this rank was asked to stop. */
  readonly stops: boolean;
  /** Whether it is time for a checkpoint; rank 0's word counts. */
  readonly saves: boolean;
}

/** What all ranks then know. */
export interface Turn {
  /** Images of the step, over all ranks. */
  readonly images: number;
  /** Some rank was asked to stop: this step is the last. */
  readonly stops: boolean;
  /** A checkpoint follows the step. */
  readonly saves: boolean;
}

/** Collective. */
export async function agreeOnTurn(group: Group, { images, stops, saves }: TurnRequest): Promise<Turn> {
  const told = Float64Array.of(images, stops ? 1 : 0, saves && group.rank === 0 ? 1 : 0);
  await group.sum(told);
  const [all = 0, stopping = 0, saving = 0] = told;
  return { images: all, stops: stopping > 0, saves: saving > 0 };
}

/** Sums of all ranks; collective where there are several. */
export async function overRanks({ loss, correct }: StepTotals, group: Group | undefined): Promise<StepTotals> {
  if (!group) return { loss, correct };
  const told = Float64Array.of(loss, correct);
  await group.sum(told);
  const [sum = 0, hits = 0] = told;
  return { loss: sum, correct: hits };
}

/** Whether it is so on any rank. */
export async function some(isSo: boolean, group: Group | undefined): Promise<boolean> {
  if (!group) return isSo;
  const told = Float64Array.of(isSo ? 1 : 0);
  await group.sum(told);
  return told[0] !== 0;
}
