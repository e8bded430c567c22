// A step captured once and replayed: no tape, no allocation, no new bind group; the host only encodes a list.
import * as tf from '@tensorflow/tfjs-core';
import { currentThaw } from '../backend/current.ts';
import { ThawGpuError } from '../runtime/errors.ts';

/** A step that `capture` recorded. */
export interface CapturedStep {
  /** Runs it. @throws when a tensor that it uses was disposed or replaced since */
  replay(): void;
  /** Runs it where values go through the host in it (`exchange`); done when all of it is submitted. @throws what the host's part throws */
  replayThroughHost(): Promise<void>;
  /** Dispatches of one replay. */
  readonly dispatches: number;
  /** Frees its memory; the tensors that it returned have no values from then on. */
  dispose(): void;
}

/** Whether the current backend can capture steps. */
export const canCapture = (): boolean => currentThaw() !== undefined;

/**
 * Records what `step` runs on the thaw backend, without running it, for replay().
 * Every replay reads the tensors that were there before at their places: set them with assignValues or HostVector.
 * What the step changes, it must change in place (adamStep, sgdStep, accumulate and batchNormTrain do), and what it makes it
 * must dispose of or return. Host code of the step runs once, now: it must not read tensors, and numbers it uses stay.
 *
 * @param step returns the tensors to be read after a replay; each replay overwrites them
 * @throws ThawGpuError on another backend, and when a tensor made in the step outlives it unreturned
 */
export async function capture(step: () => readonly tf.Tensor[]): Promise<CapturedStep> {
  const backend = currentThaw();
  if (!backend) throw new ThawGpuError(`capture: steps are captured on the thaw backend, not on '${tf.getBackend()}'`);
  return backend.capture(step);
}
