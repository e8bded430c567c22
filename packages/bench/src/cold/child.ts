// What the processes of a cold start share: the clock, which begins when Node hands over to the program, and the two passes.
import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import * as tf from '@tensorflow/tfjs-core';
import { buildForward, type ColdNetwork } from './network.ts';

/** What a process is told, in its first argument. */
export interface ColdTask {
  readonly network: ColdNetwork;
  /** A file of little-endian float32: the weights, as buildForward takes them, and behind them the images. */
  readonly numbers: string;
  readonly imageSize: number;
  readonly batchSize: number;
  readonly adapter: string | undefined;
}

/** Phases of a cold start, in their order. */
export const COLD_PHASES = ['import', 'device', 'weights', 'first pass'] as const;
/** A phase of a cold start. */
export type ColdPhase = (typeof COLD_PHASES)[number];

/** What a process tells when it is done. */
export interface ColdReport {
  /** Milliseconds. */
  readonly phases: Readonly<Record<ColdPhase, number>>;
  /** Of the same pass once more. */
  readonly secondPass: number;
  readonly pipelines: number;
  readonly features: Float32Array;
}

export interface ColdEngine {
  /** Name of its TensorFlow.js backend. */
  readonly backend: string;
  /** How to wait for the device. */
  readonly wait: <T>(work: Promise<T>) => Promise<T>;
  /** Compute pipelines made so far. */
  readonly pipelines: () => number;
  readonly close: () => void;
}

const phases: Record<ColdPhase, number> = { import: 0, device: 0, weights: 0, 'first pass': 0 };
let since = performance.nodeTiming.bootstrapComplete;

/** Ends a phase that began with the one before it. */
export function lap(phase: ColdPhase): void {
  const now = performance.now();
  phases[phase] += now - since;
  since = now;
}

/** Runs what is no part of a cold start. */
export async function uncounted<T>(work: () => Promise<T>): Promise<T> {
  const began = performance.now();
  const result = await work();
  since += performance.now() - began;
  return result;
}

/** Counts the compute pipelines that a device makes. */
export function countPipelines(device: GPUDevice): () => number {
  let made = 0;
  const createComputePipeline = device.createComputePipeline.bind(device);
  const createComputePipelineAsync = device.createComputePipelineAsync.bind(device);
  device.createComputePipeline = (descriptor) => {
    made++;
    return createComputePipeline(descriptor);
  };
  device.createComputePipelineAsync = (descriptor) => {
    made++;
    return createComputePipelineAsync(descriptor);
  };
  return () => made;
}

/** Opens the engine, runs the network twice, and sends the report. Call when everything is imported. */
export async function coldStart(open: (adapter: string | undefined) => Promise<ColdEngine>): Promise<void> {
  const task = JSON.parse(process.argv[2] ?? '') as ColdTask;
  const { backend, wait, pipelines, close } = await open(task.adapter);
  await tf.setBackend(backend);
  lap('device');
  const { buffer, byteOffset, byteLength } = readFileSync(task.numbers);
  const numbers = new Float32Array(buffer, byteOffset, byteLength / 4);
  const forward = buildForward(task.network, numbers);
  const shape: [number, number, number, number] = [task.batchSize, task.imageSize, task.imageSize, 3];
  const x = tf.tensor4d(numbers.subarray(numbers.length - tf.util.sizeFromShape(shape)), shape);
  lap('weights');
  const features = (await wait(forward(x).data())) as Float32Array;
  lap('first pass');
  const made = pipelines();
  const began = performance.now();
  await wait(forward(x).data());
  const secondPass = performance.now() - began;
  const report: ColdReport = { phases, secondPass, pipelines: made, features: Float32Array.from(features) };
  await new Promise<void>((sent) => process.send?.(report, () => sent()));
  close();
  process.disconnect();
}
