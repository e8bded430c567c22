// Ctrl-C: the first asks the run to finish its step and save, the second ends the process at once.
import { EXIT } from '../errors.ts';

export interface Interrupt {
  readonly signal: AbortSignal;
  /** Stops listening. */
  stop(): void;
}

/** Listens until stopped. `onFirst` tells the person what happens now. */
export function listenForInterrupt(onFirst: () => void): Interrupt {
  const controller = new AbortController();
  const listen = (): void => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    onFirst();
    controller.abort();
  };
  process.on('SIGINT', listen);
  process.on('SIGTERM', listen);
  return {
    signal: controller.signal,
    stop: () => {
      process.off('SIGINT', listen);
      process.off('SIGTERM', listen);
    },
  };
}
