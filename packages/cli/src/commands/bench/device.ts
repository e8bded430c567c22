// The device that a benchmark runs on: opened, its ceilings measured, and told with the versions of everything.
import { measureCeilings } from '@thaw/bench';
import type { ThawBackend } from '@thaw/kernels';
import { waiterOf } from '@thaw/kernels/node';
import { CommandError } from '../../errors.ts';
import type { Settings } from '../../options/settings.ts';
import type { Origin } from '../../report/bench-page.ts';
import { openBackend } from '../../session/backend.ts';
import { versions } from '../../versions.ts';
import type { Context } from '../command.ts';
import { ceilingsText } from './options.ts';

export interface BenchDevice {
  readonly thaw: ThawBackend;
  readonly origin: Origin;
}

/** Runs `measure` on Thaw's backend and closes it. @param about what is measured, beside the device's name */
export async function onBenchDevice(
  { adapter, precision }: { adapter?: string | undefined; precision: Settings['precision'] },
  { io, output }: Context,
  about: string,
  measure: (device: BenchDevice) => Promise<void>,
): Promise<void> {
  const onNote = (note: string): void => output.say(note);
  const backend = await openBackend({ io, onNote, backend: 'thaw', adapter, precision });
  try {
    if (!backend.thaw) throw new CommandError('thaw bench needs a WebGPU adapter.');
    const { info: device } = backend;
    output.event('device', { ...device, versions: versions() });
    const ceilings = await measureCeilings(backend.thaw.gpu.device, waiterOf(backend.thaw.gpu.device));
    output.event('ceilings', { ...ceilings });
    output.say(`${device.name}, ${device.driver}; ${about}; ${ceilingsText(ceilings)}`);
    const created = new Date().toISOString();
    const { commandLine } = io;
    await measure({
      thaw: backend.thaw,
      origin: { device, versions: versions(), commandLine, created, ceilings },
    });
  } finally {
    backend.close();
  }
}
