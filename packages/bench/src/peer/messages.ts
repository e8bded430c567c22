// What the benchmark and a peer's process say to each other: one request, one reply with its number.
import type { EngineName } from '../engines/engine.ts';
import type { WorkloadSpec } from '../workloads/open.ts';

export type Request =
  | { readonly do: 'open-engine'; readonly engine: EngineName; readonly adapter: string | undefined }
  | { readonly do: 'open'; readonly spec: WorkloadSpec }
  | { readonly do: 'verify' | 'close' }
  | { readonly do: 'time'; readonly repetitions: number };

export interface Numbered {
  readonly id: number;
  readonly request: Request;
}

export type Reply = { readonly id: number } & ({ readonly value: unknown } | { readonly error: string });
