// Names of layers, for profiles: what a layer dispatches, and what its gradients dispatch later, carry its name.
import * as tf from '@tensorflow/tfjs-core';
import { currentThaw } from '../backend/current.ts';

/** Told of each layer's output, while watchLayers runs. */
let watcher: ((name: string, output: tf.Tensor) => void) | undefined;

/** Runs `compute` and tells `watch` the output of each layer in it, as it comes; the tensors are the layers' own. */
export function watchLayers<T>(watch: (name: string, output: tf.Tensor) => void, compute: () => T): T {
  const before = watcher;
  watcher = watch;
  try {
    return compute();
  } finally {
    watcher = before;
  }
}

/** Runs `compute` as the layer `name`. Layers may be nested: the innermost counts. Off the thaw backend it only runs it. */
export function layer<T>(name: string, compute: () => T): T {
  const result = within(name, compute);
  if (watcher && result instanceof tf.Tensor) watcher(name, result);
  return result;
}

function within<T>(name: string, compute: () => T): T {
  const backend = currentThaw();
  if (!backend) return compute();
  const { gpu } = backend;
  const { state } = tf.engine();
  // Outside a gradient's computation there is no tape, or the one before.
  const tape = state.gradientDepth > 0 ? state.activeTape : [];
  const first = tape.length;
  const result = gpu.within({ layer: name, pass: 'forward' }, compute);
  // The backward walk calls a node's gradient, and then a function for each input that needs one.
  for (const node of tape.slice(first)) {
    const { gradient } = node;
    if (!gradient || named.has(gradient)) continue;
    const backward = <R>(run: () => R): R => gpu.within({ layer: name, pass: 'backward' }, run);
    node.gradient = (dys) => {
      const gradients = backward(() => gradient(dys));
      return Object.fromEntries(Object.entries(gradients).map(([input, run]) => [input, () => backward(run)]));
    };
    named.add(node.gradient);
  }
  return result;
}

/** Gradients that have their layer's name already. */
const named = new WeakSet<object>();
