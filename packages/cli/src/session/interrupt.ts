// Ctrl-C, SIGTERM, or SIGUSR2: the first asks the run to finish its step and save, the second ends the process at once. SIGUSR2
// is what launchers of MPI jobs pass on without ending the job a moment later, as Open MPI's does at the others.
import { EXIT } from '../errors.ts';

export interface Interrupt {
  readonly signal: AbortSignal;
  /** What to exit with once it is over: by the signal that came first. */
  readonly exitCode: number;
  /** Stops listening. */
  stop(): void;
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGUSR2'] as const;

/** Listens until stopped. `onFirst` tells the person what happens now; without it, the process ends at once. */
export function listenForInterrupt(onFirst?: () => void): Interrupt {
  const controller = new AbortController();
  let exitCode: number = EXIT.interrupted;
  const listen = (signal: NodeJS.Signals): void => {
    const isTerm = signal === 'SIGTERM' || signal === 'SIGUSR2';
    if (!controller.signal.aborted && isTerm) exitCode = EXIT.terminated;
    if (controller.signal.aborted || !onFirst) process.exit(exitCode);
    onFirst();
    controller.abort();
  };
  for (const signal of SIGNALS) process.on(signal, listen);
  return {
    signal: controller.signal,
    get exitCode() {
      return exitCode;
    },
    stop: () => {
      for (const signal of SIGNALS) process.off(signal, listen);
    },
  };
}
