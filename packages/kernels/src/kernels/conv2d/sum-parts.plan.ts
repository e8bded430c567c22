/** How threads are dealt out where parts of sums are added up: one to a sum, or several that share a vector of four. */
import { foldWorkgroups, type Limits, type Plan } from '../../runtime/plan.ts';
import type { Tuning } from '../../tuning/tilings.ts';
import { readShader } from '../../wgsl/shader.ts';
import source from './sum-parts.wgsl?raw';
import sharedSource from './sum-parts-shared.wgsl?raw';

const sumShader = readShader('sum-parts', source);
const sharedShader = readShader('sum-parts-shared', sharedSource);

/** Threads that may share a vector: few choices, as each is a pipeline. */
const SHARES = [1, 4, 16, 64];
/** With fewer parts to a thread the pairwise sum costs more than the walk it saves. */
const LEAST_PARTS = 2;
/** What the largest GPUs (NVIDIA H200) hold at a time: 132 multiprocessors of 2048 threads. */
const FILLING_THREADS = 132 * 2048;

/** What is added up. */
export interface Parts {
  /** Numbers of a part. */
  readonly size: number;
  /** Numbers of a row of it. */
  readonly columns: number;
  /** Parts. */
  readonly count: number;
}

/**
 * @param tuning of sum-parts.wgsl, where one thread is to have all parts of a sum. Default: threads share them, as many as fill
 * a GPU, where columns are a multiple of 4
 */
export function dealSums(
  { size, columns, count }: Parts,
  limits: Limits,
  tuning: Tuning,
): Pick<Plan, 'shader' | 'tuning' | 'params' | 'workgroups'> {
  if (columns % 4 !== 0 || Object.keys(tuning).length > 0) {
    const tuned = { ...sumShader.tunables, ...tuning };
    const { THREADS = 1, PER_THREAD = 1 } = tuned;
    const workgroups = foldWorkgroups(sumShader.name, Math.ceil(size / (THREADS * PER_THREAD)), limits);
    return { shader: sumShader, tuning: tuned, params: { size, columns, count }, workgroups };
  }
  const vectors = size / 4;
  const THREADS = Math.min(sharedShader.tunables['THREADS'] ?? 1, limits.maxComputeInvocationsPerWorkgroup);
  const useful = SHARES.filter((shares) => shares === 1 || count >= LEAST_PARTS * shares);
  const shares = useful.find((one) => vectors * one >= FILLING_THREADS) ?? useful.at(-1) ?? 1;
  return {
    shader: sharedShader,
    tuning: { SHARES: shares, THREADS },
    params: { size: vectors, columns: columns / 4, count, perShare: Math.ceil(count / shares) },
    workgroups: foldWorkgroups(sharedShader.name, Math.ceil((vectors * shares) / THREADS), limits),
  };
}
