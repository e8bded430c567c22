// Ends a rank that was told to stop and cannot: where another rank is dead, no step that all share comes to its end.
export interface Pulse {
  /** Something has come to its end. */
  beat(): void;
  /** The work is over. */
  stop(): void;
}

/** Seconds after the signal without an end of anything. */
const PATIENCE = 20;
/** Of the longest time from one end to the next, at least. */
const LONGEST = 3;

/**
 * Watches from the signal on.
 * @param onStill told after how many seconds; expected to end the process
 */
export function watchPulse(
  signal: AbortSignal,
  onStill: (seconds: number) => void,
  { patience = PATIENCE, now = () => performance.now() / 1000 } = {},
): Pulse {
  let [last, longest] = [now(), 0];
  let timer: NodeJS.Timeout | undefined;
  const look = (): void => {
    const still = now() - last;
    if (still < Math.max(patience, LONGEST * longest)) return;
    clearInterval(timer);
    onStill(Math.round(still));
  };
  const onSignal = (): void => {
    last = now();
    timer = setInterval(look, Math.min(1, patience / 4) * 1000);
  };
  signal.addEventListener('abort', onSignal, { once: true });
  return {
    beat: () => {
      longest = Math.max(longest, now() - last);
      last = now();
    },
    stop: () => {
      clearInterval(timer);
      signal.removeEventListener('abort', onSignal);
    },
  };
}
