// Ctrl-C, or SIGTERM: the first asks the run to finish its step and save, the second ends the process at once.
import { EXIT } from '../errors.ts';

export interface Interrupt {
  readonly signal: AbortSignal;
  /** What to exit with once it is over: by the signal that came first. */
  readonly exitCode: number;
  /** Stops listening. */
  stop(): void;
}

/** Listens until stopped. `onFirst` tells the person what happens now; without it, the process ends at once. */
export function listenForInterrupt(onFirst?: () => void): Interrupt {
  const controller = new AbortController();
  let exitCode: number = EXIT.interrupted;
  const listen = (signal: NodeJS.Signals): void => {
    if (!controller.signal.aborted && signal === 'SIGTERM') exitCode = EXIT.terminated;
    if (controller.signal.aborted || !onFirst) process.exit(exitCode);
    onFirst();
    controller.abort();
  };
  process.on('SIGINT', listen);
  process.on('SIGTERM', listen);
  return {
    signal: controller.signal,
    get exitCode() {
      return exitCode;
    },
    stop: () => {
      process.off('SIGINT', listen);
      process.off('SIGTERM', listen);
    },
  };
}
