// What the benchmark's page is told to do, and what it posts back.
import type { KernelRow } from '../measure/kernel-rows.ts';
import type { Ceilings } from '../measure/statistics.ts';
import { KERNEL_CASES, type KernelCase } from '../workloads/kernel-cases.ts';

/** What runs beside Thaw in the page. */
export const BROWSER_PEERS = ['tfjs-webgpu', 'tfjs-webgl'] as const;
/** Name of one of them. */
export type BrowserPeer = (typeof BROWSER_PEERS)[number];

/** The training operations; the optimizer is no operation of TensorFlow.js's own. */
export const BROWSER_CASES: readonly KernelCase[] = KERNEL_CASES.filter(({ work }) => work.op !== 'adam');

/** What the page measures. */
export interface BrowserSpec {
  /** One after the other. */
  readonly cases: readonly KernelCase[];
  /** Other engines. */
  readonly against: readonly BrowserPeer[];
  /** Rounds in which the engines take turns, at most. */
  readonly rounds: number;
  /** For the rounds of one case. */
  readonly seconds: number;
  /** Of the made-up inputs. */
  readonly seed: number;
}

/** WebGPU's adapter, as the page sees it. */
export interface BrowserAdapter {
  /** Name of the device. */
  readonly name: string;
  /** Maker. */
  readonly vendor: string;
  /** Family of GPUs. */
  readonly architecture: string;
  /** Driver, as far as the browser tells. */
  readonly driver: string;
  /** Whether it is a processor that plays a GPU. */
  readonly isSoftware: boolean;
  /** Those that Thaw uses. */
  readonly features: readonly string[];
  /** Lanes of every subgroup; undefined where there are none, or several sizes. */
  readonly subgroupSize: number | undefined;
}

/** What the page runs on. */
export interface BrowserEnvironment {
  /** As the browser names itself. */
  readonly userAgent: string;
  /** Of WebGPU. */
  readonly adapter: BrowserAdapter;
  /** What draws WebGL, as its driver calls it; undefined where tfjs-webgl does not run. */
  readonly renderer: string | undefined;
  /** Whether that is a processor that plays a GPU. */
  readonly rendererIsSoftware: boolean | undefined;
  /** What WebGPU's adapter was just measured to do at most. */
  readonly ceilings: Ceilings;
}

/** A case of which no time was taken. */
export interface BrowserFailure {
  /** Its name. */
  readonly case: string;
  /** Why. */
  readonly message: string;
}

/** One message of the page. */
export type PagePost =
  | ({ readonly event: 'environment' } & BrowserEnvironment)
  | ({ readonly event: 'row' } & KernelRow)
  | ({ readonly event: 'failure' } & BrowserFailure)
  | { readonly event: 'done' }
  | { readonly event: 'failed'; readonly message: string };

/** Whether a WebGL renderer is a processor that plays a GPU. */
export const isSoftwareRenderer = (renderer: string): boolean =>
  /swiftshader|llvmpipe|lavapipe|softpipe|software|basic render/i.test(renderer);
