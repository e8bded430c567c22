/** How a kernel is declared to TensorFlow.js: a name and a function of typed inputs and attributes. */
import type { KernelConfig, TensorInfo } from '@tensorflow/tfjs-core';
import { ThawBackend } from './thaw-backend.ts';

export const BACKEND = 'thaw';

export interface KernelCall {
  readonly backend: ThawBackend;
  /** A required input. @throws when it is missing. */
  readonly input: (name: string) => TensorInfo;
  /** An optional input. */
  readonly optional: (name: string) => TensorInfo | undefined;
  /** Inputs that tfjs passes as a list, in order. */
  readonly list: () => TensorInfo[];
  /** Attributes, typed by the kernel that knows them. */
  readonly attrs: <T extends object>() => T;
}

const isTensor = (value: unknown): value is TensorInfo =>
  typeof value === 'object' && value !== null && 'dataId' in value;

/** Declares the kernel `kernelName` of the thaw backend. */
export function defineKernel(kernelName: string, run: (call: KernelCall) => TensorInfo | TensorInfo[]): KernelConfig {
  return {
    kernelName,
    backendName: BACKEND,
    kernelFunc: ({ inputs, backend, attrs }) => {
      if (!(backend instanceof ThawBackend)) throw new Error(`${kernelName}: runs on the thaw backend only`);
      return run({
        backend,
        input: (name) => {
          const tensor = inputs[name];
          if (!isTensor(tensor)) throw new Error(`${kernelName}: input '${name}' is missing`);
          return tensor;
        },
        optional: (name) => {
          const tensor: unknown = inputs[name];
          return isTensor(tensor) ? tensor : undefined;
        },
        list: () => Object.values(inputs).filter(isTensor),
        attrs: <T extends object>() => (attrs ?? {}) as T,
      });
    },
  };
}
