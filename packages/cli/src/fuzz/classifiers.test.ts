// Hostile files of classical classifiers, as evaluate, predict and serve read them back.
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { ClassicalError, fitClassical, fitPca, readClassical } from '../../../model/src/classical/index.ts';
import { noise } from '../../../model/src/testing/tiny.ts';
import { readSafetensors, SafetensorsError, toFloat32, toInt32, writeSafetensors, type SafetensorsInput } from '../../../model/src/weights/index.ts'; // prettier-ignore
import { damaged, FUZZ_TIMEOUT, survives } from './cases.ts';

const [WIDTH, CLASSES, QUERIES] = [4, 3, 5];
const KINDS = ['tree', 'forest', 'boosting', 'knn'] as const;
const features = { values: noise(WIDTH * 24), labels: Int32Array.from({ length: 24 }, (_, i) => i % CLASSES), width: WIDTH }; // prettier-ignore

/** One of each kind, with a projection and without. */
let valid: Uint8Array[];
beforeAll(async () => {
  await tf.setBackend('cpu');
  const projection = await fitPca(features, 2);
  const options = { classes: CLASSES, neighbours: 3, trees: 4, depth: 3, seed: 1 };
  const all = KINDS.flatMap((kind) => [undefined, projection].map((one) => fitClassical(features, { ...options, kind }, one))); // prettier-ignore
  valid = (await Promise.all(all)).map((model) => model.encode());
});

/** What is taken must answer: finite shares of each class, in bounded time. */
async function readAndAsk(file: Uint8Array): Promise<void> {
  const before = tf.memory().numTensors;
  const model = readClassical(file, 'c.safetensors', { inputs: WIDTH, classes: CLASSES });
  const shares = await model.probabilities(noise(WIDTH * QUERIES, 9), QUERIES);
  model.dispose();
  expect(shares).toHaveLength(QUERIES * CLASSES);
  expect(shares.every((share) => share >= 0 && share <= 1 + 1e-6)).toBe(true);
  expect(tf.memory().numTensors).toBe(before);
}

test('bytes changed', { timeout: FUZZ_TIMEOUT }, async () => {
  for (const file of valid) await readAndAsk(file);
  await survives(damaged(valid), readAndAsk, [ClassicalError, SafetensorsError], 'c.safetensors');
});

test('sound files that say anything: header, lengths, indices', { timeout: FUZZ_TIMEOUT }, async () => {
  const whole = fc.oneof(fc.integer({ min: -3, max: 30 }), fc.constantFrom(-(2 ** 31), 2 ** 31 - 1));
  const header = fc.record({
    kind: fc.oneof({ arbitrary: fc.constant(undefined), weight: 6 }, { arbitrary: fc.constantFrom(...KINDS, 'logistic', '__proto__', 7), weight: 1 }), // prettier-ignore
    inputs: fc.oneof({ arbitrary: fc.constant(WIDTH), weight: 8 }, { arbitrary: whole, weight: 1 }),
    classes: fc.oneof({ arbitrary: fc.constant(CLASSES), weight: 8 }, { arbitrary: fc.jsonValue(), weight: 1 }),
    neighbours: fc.oneof(fc.constant(3), whole, fc.jsonValue()),
  });
  const number = fc.oneof(fc.float(), fc.constantFrom(NaN, Infinity, 3e38, -3e38, 0));
  const changes = fc.array(
    fc.record({ tensor: fc.nat(9), at: fc.nat(40), whole, number, kind: fc.constantFrom('value', 'drop', 'shorter', 'longer') }), // prettier-ignore
    { minLength: 1, maxLength: 3 },
  );
  const files = fc.tuple(fc.nat(7), header, changes).map(([which, said, list]) => {
    const { tensors, metadata } = readSafetensors(valid[which]!, 'valid');
    const made = new Map<string, SafetensorsInput>();
    for (const [name, tensor] of tensors) made.set(name, { shape: [...tensor.shape], data: (toInt32(tensor) ?? toFloat32(tensor))!.slice() }); // prettier-ignore
    for (const { tensor, at, whole: index, number: value, kind } of list) {
      const name = [...made.keys()][tensor % made.size];
      const { data } = (name !== undefined && made.get(name)) || { data: new Float32Array() };
      if (name === undefined || data.length === 0) continue;
      if (kind === 'value') data[at % data.length] = data instanceof Int32Array ? index : value;
      else if (kind === 'drop') made.delete(name);
      else {
        const changed = data instanceof Int32Array ? Int32Array.from([...data, 1]) : Float32Array.from([...data, 1]);
        const kept = kind === 'shorter' ? changed.slice(0, -2) : changed;
        made.set(name, { shape: [kept.length], data: kept });
      }
      if (made.size === 0) break;
    }
    const own = JSON.parse(metadata['thaw'] ?? '{}') as { kind: string };
    return writeSafetensors(made, { thaw: JSON.stringify({ ...said, kind: said.kind ?? own.kind }) });
  });
  const { taken } = await survives(files, readAndAsk, [ClassicalError, SafetensorsError], 'c.safetensors');
  // Some change only what a tree compares with.
  expect(taken).toBeGreaterThan(0);
});
