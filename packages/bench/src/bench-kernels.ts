// thaw bench kernels: every kernel of a training step beside other engines and beside the floor that the device sets.
import type { EngineName } from './engines/engine.ts';
import { kernelRows, type KernelRow, type KernelRowOptions } from './measure/kernel-rows.ts';
import { startPeers } from './peer/start.ts';
import type { KernelCase, KernelWork } from './workloads/kernel-cases.ts';

/** What `benchKernels` measures with. */
export interface BenchKernelsOptions extends Omit<KernelRowOptions, 'peers'> {
  /** Other engines, each in a process of its own. */
  readonly against: readonly EngineName[];
  /** Part of the adapter's name, for the other engines too. */
  readonly adapter?: string | undefined;
}

/** Engine and kernels it has not: WebAssembly has no gradient of a convolution's filter. */
const canRunKernel = (engine: EngineName, op: KernelWork['op']): boolean =>
  engine !== 'tfjs-wasm' || op !== 'conv2d-backward-filter';

/** Runs the cases one by one. @throws DisagreementError when an engine computes something else */
export async function benchKernels(
  cases: readonly KernelCase[],
  options: BenchKernelsOptions,
  onRow: (row: KernelRow) => void,
): Promise<KernelRow[]> {
  const peers = await startPeers(options.against, options.adapter);
  const rows: KernelRow[] = [];
  try {
    for (const one of cases) {
      const able = peers.filter(({ engine }) => canRunKernel(engine, one.work.op));
      for (const row of await kernelRows(one, { ...options, peers: able })) {
        rows.push(row);
        onRow(row);
      }
    }
  } finally {
    for (const peer of peers) peer.stop();
  }
  return rows;
}
