/**
 * The WebGPU device of tests. THAW_NO_ADAPTER=1 (which `npm test` sets where Dawn finds no adapter) skips what needs one;
 * without it a missing adapter fails the tests. Every test runs inside error scopes of every device opened here, and an
 * error that the test does not expect fails it, even if its numbers are right.
 */
import { engine } from '@tensorflow/tfjs-core';
import { afterEach, expect } from 'vitest';
import { ThawBackend } from '../backend/thaw-backend.ts';
import { openDevice } from './open-device.ts';

/** Why tests that need a device are skipped, or undefined where they run. */
export const noAdapter =
  process.env['THAW_NO_ADAPTER'] === '1'
    ? 'needs a WebGPU adapter, and THAW_NO_ADAPTER=1 says that there is none'
    : undefined;
if (noAdapter) console.warn(`SKIPPED: every test on a WebGPU device: ${noAdapter}`);

/** What happened on a device since the last look, in words; scopes are closed and opened anew. */
type Watch = () => Promise<string[]>;

const watches = new Set<Watch>();

/** A device of its own, inside error scopes. @throws NoAdapterError when Dawn finds no adapter */
export async function openTestDevice(): Promise<{ device: GPUDevice; takeErrors: Watch }> {
  const { device } = await openDevice();
  return { device, takeErrors: watchErrors(device) };
}

/** Puts a device into error scopes; an error that the test does not take fails it. */
export function watchErrors(device: GPUDevice): Watch {
  const open = () => {
    device.pushErrorScope('out-of-memory');
    device.pushErrorScope('validation');
  };
  open();
  const takeErrors = async () => {
    const scopes = [device.popErrorScope(), device.popErrorScope()];
    open();
    return (await Promise.all(scopes)).flatMap((error) => error?.message ?? []);
  };
  watches.add(takeErrors);
  void device.lost.then(() => watches.delete(takeErrors));
  return takeErrors;
}

/** Waits for the thaw backend's work; its own scopes report here what no read has reported. */
async function settleBackend(): Promise<void> {
  if (!('thaw' in engine().registry)) return;
  const backend = engine().findBackend('thaw');
  if (backend instanceof ThawBackend) await backend.settle(0);
}

// Imported before anything that a test file registers, and hooks run backwards: this is the last of them.
afterEach(async () => {
  await settleBackend();
  for (const takeErrors of watches)
    expect(await takeErrors(), 'errors that no scope of the runtime caught').toEqual([]);
});
