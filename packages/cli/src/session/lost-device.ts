// A run outlives its device: where that is lost (driver reset, unplugged), a new one is opened and the run goes on.
import { setTimeout as sleep } from 'node:timers/promises';
import { DeviceLostError } from '@thaw/kernels';
import { CommandError, explain } from '../errors.ts';
import type { Output } from '../output.ts';
import type { Trunk } from '../trunk/trunk.ts';
import type { OpenBackend } from './backend.ts';

/** What a run computes on. */
export interface Devices {
  readonly backend: OpenBackend;
  readonly trunk: Trunk;
}

export interface Recovery<T> {
  readonly output: Output;
  readonly devices: Devices;
  /** Closes the devices before and opens new ones. */
  readonly reopen: () => Promise<Devices>;
  /** Runs, from wherever it has come to. @param isAgain after a loss */
  readonly attempt: (devices: Devices, isAgain: boolean) => Promise<T>;
  /** Grows with the steps of the run that are kept. */
  readonly kept: () => number;
  readonly signal: AbortSignal;
}

/** Losses with no step kept in between after which the run gives up. */
const MOST = 3;
/** Milliseconds before each try at a new device: a driver that resets takes a moment. */
const PAUSES = [0, 1000, 4000, 15_000];

/** @throws what the attempt throws; CommandError where devices are lost again and again, or no new one is to be had */
export async function onNewDevices<T>({ output, devices, reopen, attempt, kept, signal }: Recovery<T>): Promise<T> {
  let [losses, keptBefore] = [0, -1];
  for (let current = devices, isAgain = false; ; isAgain = true) {
    try {
      return await attempt(current, isAgain);
    } catch (error) {
      const reason = await lossOf(error, current.backend);
      if (reason === undefined || signal.aborted) throw error;
      losses = kept() > keptBefore ? 1 : losses + 1;
      keptBefore = kept();
      if (losses >= MOST)
        throw new CommandError(`The device was lost ${MOST} times without a step that could be kept in between (${reason}). Try a smaller --batch-size, another --adapter or driver.`, { cause: error }); // prettier-ignore
      output.warn(`The device was lost (${reason}). A new one is opened, and the run goes on from what is kept.`);
      output.event('device-lost', { reason });
      current = await openAgain(reopen, signal);
    }
  }
}

/** What knows whether its device is gone. */
export type MayBeLost = Pick<OpenBackend, 'lost'>;

/** Why the device was lost, where that is behind an error. */
export async function lossOf(error: unknown, backend: MayBeLost): Promise<string | undefined> {
  // What failed on a lost device may be told before the loss is.
  await sleep(0);
  return backend.lost() ?? (error instanceof DeviceLostError ? error.message : undefined);
}

/** Tries to open what is on a new device. @param pauses milliseconds before each try */
export async function openAgain<T>(
  reopen: () => Promise<T>,
  signal: AbortSignal,
  pauses: readonly number[] = PAUSES,
): Promise<T> {
  let failure: unknown;
  for (const pause of pauses) {
    await sleep(pause, undefined, { signal });
    try {
      return await reopen();
    } catch (error) {
      failure = error;
    }
  }
  throw new CommandError(`The device was lost, and no new one could be opened: ${explain(failure)}`, {
    cause: failure,
  });
}
