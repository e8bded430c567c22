/** How a kernel is declared to TensorFlow.js: a name and a function of typed inputs and attributes. */
import type { KernelConfig, NamedAttrMap, TensorInfo } from '@tensorflow/tfjs-core';
import { isTensor, runOnHost, type KernelInputs } from './host-kernel.ts';
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

type Run = (call: KernelCall) => TensorInfo | TensorInfo[];

export interface KernelOptions {
  /** Of complex tensors it is the same function of the real and of the imaginary parts. */
  readonly byParts?: boolean;
}

/** Declares the kernel `kernelName` of the thaw backend. Given strings, it is tfjs-cpu's kernel on the host. */
export function defineKernel(kernelName: string, run: Run, { byParts = false }: KernelOptions = {}): KernelConfig {
  return {
    kernelName,
    backendName: BACKEND,
    kernelFunc: ({ inputs, backend, attrs }) => {
      if (!(backend instanceof ThawBackend)) throw new Error(`${kernelName}: runs on the thaw backend only`);
      const dtypes = Object.values(inputs).map((value) => (isTensor(value) ? value.dtype : undefined));
      if (dtypes.includes('string')) return runOnHost(backend, kernelName, inputs, attrs);
      const on = (given: KernelInputs) => run(callOf(kernelName, backend, given, attrs));
      return byParts && dtypes.includes('complex64') ? partwise(backend, inputs, on) : on(inputs);
    },
  };
}

const callOf = (
  kernelName: string,
  backend: ThawBackend,
  inputs: KernelInputs,
  attrs: NamedAttrMap | undefined,
): KernelCall => ({
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

/** Runs `on` with the real parts of complex inputs and with their imaginary parts, and joins the results. */
function partwise(
  backend: ThawBackend,
  inputs: KernelInputs,
  on: (given: KernelInputs) => TensorInfo | TensorInfo[],
): TensorInfo | TensorInfo[] {
  const [real, imag] = (['real', 'imag'] as const).map((part) =>
    on(
      Object.fromEntries(
        Object.entries(inputs).map(([name, value]) => [
          name,
          isTensor(value) && value.dtype === 'complex64' ? backend.parts(value)[part] : value,
        ]),
      ),
    ),
  );
  const imaginary = [imag ?? []].flat();
  const joined = [real ?? []].flat().map((part, i) => {
    const other = imaginary[i];
    if (!other) throw new Error('a kernel made more real parts than imaginary ones');
    const whole = backend.complex(part, other);
    backend.release(part);
    backend.release(other);
    return whole;
  });
  const [only] = joined;
  return Array.isArray(real) || !only ? joined : only;
}

/** Declares that `kernelName` is tfjs-cpu's kernel, on the host. */
export function defineHostKernel(kernelName: string): KernelConfig {
  return {
    kernelName,
    backendName: BACKEND,
    kernelFunc: ({ inputs, backend, attrs }) => {
      if (!(backend instanceof ThawBackend)) throw new Error(`${kernelName}: runs on the thaw backend only`);
      return runOnHost(backend, kernelName, inputs, attrs);
    },
  };
}
