/** A TensorFlow graph as tfjs-converter reads it: nodes, functions and weights, written by hand. */
import type { io } from '@tensorflow/tfjs-core';

type Type = 'DT_FLOAT' | 'DT_INT32' | 'DT_BOOL';

// Of ASCII.
const base64 = (text: string): string => btoa(text);

/** Attributes in the JSON form of TensorFlow's AttrValue. */
export const attr = {
  type: (type: Type) => ({ type }),
  ints: (...i: number[]) => ({ list: { i } }),
  text: (s: string) => ({ s: base64(s) }),
  texts: (...s: string[]) => ({ list: { s: s.map(base64) } }),
  float: (f: number) => ({ f }),
  int: (i: number) => ({ i }),
  flag: (b: boolean) => ({ b }),
  shape: (...sizes: number[]) => ({ shape: { dim: sizes.map((size) => ({ size: String(size) })) } }),
  func: (name: string) => ({ func: { name } }),
};
type Attr = ReturnType<(typeof attr)[keyof typeof attr]>;

export interface GraphNode {
  readonly name: string;
  readonly op: string;
  readonly input: readonly string[];
  readonly attr: Readonly<Record<string, Attr>>;
}

/** @param input names of nodes; "name:1" is the second output of one */
export const node = (
  name: string,
  op: string,
  input: readonly string[] = [],
  attrs: Readonly<Record<string, Attr>> = {},
): GraphNode => ({ name, op, input, attr: { T: attr.type('DT_FLOAT'), ...attrs } });

/** A function of the graph, as StatelessIf and StatelessWhile call them; its outputs are those of the nodes in `results`. */
export const graphFunction = (
  name: string,
  args: Readonly<Record<string, Type>>,
  results: Readonly<Record<string, Type>>,
  nodes: readonly GraphNode[],
) => ({
  signature: {
    name,
    inputArg: Object.entries(args).map(([arg, type]) => ({ name: arg, type })),
    outputArg: Object.entries(results).map(([result, type]) => ({ name: `${result}_out`, type })),
  },
  nodeDef: nodes,
  ret: Object.fromEntries(Object.keys(results).map((result) => [`${result}_out`, result])),
});

interface Weight {
  readonly shape: number[];
  readonly values: Float32Array | Int32Array;
}

/** What tf.io.fromMemory takes; a weight is a node of its own. */
export function graphModel(
  nodes: readonly GraphNode[],
  weights: Readonly<Record<string, Weight>>,
  functions: readonly ReturnType<typeof graphFunction>[] = [],
): io.ModelArtifacts {
  const entries = Object.entries(weights);
  const bytes = entries.map(([, { values }]) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  const isInteger = ({ values }: Weight): boolean => values instanceof Int32Array;
  const constants = entries.map(([name, one]) =>
    node(name, 'Const', [], { dtype: attr.type(isInteger(one) ? 'DT_INT32' : 'DT_FLOAT') }),
  );
  return {
    format: 'graph-model',
    modelTopology: { node: [...constants, ...nodes], library: { function: functions }, versions: { producer: 1 } },
    weightSpecs: entries.map(([name, one]) => ({
      name,
      shape: one.shape,
      dtype: isInteger(one) ? 'int32' : 'float32',
    })),
    weightData: Uint8Array.from(bytes.flatMap((one) => [...one])).buffer,
  };
}
