// Times an engine's work: repetitions run ahead of the device by at most two, and the last is waited for.
import type { Engine } from '../engines/engine.ts';
import type { Sample } from './workload.ts';

const IN_FLIGHT = 2;

/** @param run records one repetition; what it creates it disposes of. One that waits is host's work until it is done */
export async function timeRepetitions(
  engine: Engine,
  repetitions: number,
  run: () => void | Promise<void>,
): Promise<Sample> {
  await engine.settle(0);
  const before = engine.dispatches();
  const host: number[] = [];
  const start = performance.now();
  for (let i = 1; i <= repetitions; i++) {
    const began = performance.now();
    const waiting = run();
    if (waiting) await waiting;
    // Submits before it returns; waiting is not the host's work.
    const settled = engine.settle(i === repetitions ? 0 : IN_FLIGHT);
    host.push(performance.now() - began);
    await settled;
  }
  const milliseconds = performance.now() - start;
  const after = engine.dispatches();
  return {
    milliseconds: milliseconds / repetitions,
    // The quickest: in others the threads of a software device took the processor from the host.
    hostMilliseconds: Math.min(...host),
    dispatches: before === undefined || after === undefined ? undefined : (after - before) / repetitions,
    peakBytes: engine.peakBytes(),
  };
}
