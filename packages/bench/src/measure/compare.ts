// One workload in several engines: verified against each other before any time is taken, then timed in turns.
import type { Engine, EngineName } from '../engines/engine.ts';
import { openWorkload, type WorkloadSpec } from '../workloads/open.ts';
import type { Workload } from '../workloads/workload.ts';
import { checkAgreement, type Agreement } from './agreement.ts';
import { interleave, type InterleaveOptions, type Measured } from './interleave.ts';

/** Another engine that opens workloads: one in a process of its own, or, in a browser, beside Thaw's. */
export interface Contender {
  /** Name of the engine. */
  readonly engine: EngineName;
  /** Opens a workload, one at a time. */
  open(spec: WorkloadSpec): Promise<Workload>;
}

/** In which engines, and how much may part them. */
export interface CompareOptions extends InterleaveOptions {
  /** Thaw, which the others are compared with. */
  readonly engine: Engine;
  /** The others. */
  readonly peers: readonly Contender[];
  /** The largest difference of a tensor that rounding explains. */
  readonly allowedOf: (tensor: string) => number;
}

/** What was measured of one engine, and how it compares with Thaw. */
export interface Compared extends Measured {
  /** Name of the engine. */
  readonly engine: string;
  /** Median of the engine over median of Thaw: how often faster Thaw is. */
  readonly ratio: number | undefined;
  /** How nearly its results are Thaw's; undefined for Thaw itself. */
  readonly agreement: Agreement | undefined;
}

/** @throws DisagreementError, before any time is taken, when an engine computes something else */
export async function compare(name: string, spec: WorkloadSpec, options: CompareOptions): Promise<Compared[]> {
  const { engine, peers, allowedOf } = options;
  const workloads = new Map<string, Workload>([[engine.name, await openWorkload(engine, spec)]]);
  try {
    for (const peer of peers) workloads.set(peer.engine, await peer.open(spec));
    const agreements = new Map<string, Agreement>();
    const outputs = await workloads.get(engine.name)?.verify();
    for (const [peer, workload] of workloads)
      if (peer !== engine.name && outputs)
        agreements.set(peer, checkAgreement(name, [engine.name, outputs], [peer, await workload.verify()], allowedOf));
    const measured = await interleave(workloads, options);
    const own = measured.get(engine.name)?.milliseconds.median;
    return [...measured].map(([of, one]) => ({
      ...one,
      engine: of,
      ratio: own === undefined || of === engine.name ? undefined : one.milliseconds.median / own,
      agreement: agreements.get(of),
    }));
  } finally {
    for (const workload of workloads.values()) await workload.close();
  }
}
