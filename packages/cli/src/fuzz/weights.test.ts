// Hostile weight files, checkpoints and kept features.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decodeCheckpoint, encodeCheckpoint } from '../../../model/src/node/checkpoints.ts';
import { FileFeatureStore } from '../../../model/src/node/feature-store.ts';
import { readKerasH5 } from '../../../model/src/node/keras-h5.ts';
import { toKerasH5 } from '../../../model/src/node/keras-h5-write.ts';
import { parseProgress } from '../../../model/src/node/progress.ts';
import { noise, TINY } from '../../../model/src/testing/tiny.ts';
import type { Checkpoint } from '../../../model/src/training/types.ts';
import { randomWeights, readSafetensors, SafetensorsError, toFloat32, toInt32, WeightsError, writeSafetensors } from '../../../model/src/weights/index.ts'; // prettier-ignore
import { CASES, damaged, FUZZ_TIMEOUT, survives } from './cases.ts';

let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'thaw-fuzz-'))));
afterAll(() => rm(folder, { recursive: true, force: true }));

const tensors = new Map([
  ['a/kernel', { shape: [2, 3], data: noise(6) }],
  ['b/labels', { shape: [4], data: Int32Array.of(1, 2, 3, 4) }],
  ['c/half', { shape: [3], data: Uint16Array.of(1, 2, 3), dtype: 'F16' as const }],
]);

function readAll(file: Uint8Array): void {
  const { tensors: read, metadata } = readSafetensors(file, 'x.safetensors');
  let bytes = 0;
  for (const tensor of read.values()) {
    const values = toFloat32(tensor) ?? toInt32(tensor);
    if (values) expect(values.length).toBe(tensor.shape.reduce((a, b) => a * b, 1));
    bytes += tensor.bytes.byteLength;
  }
  expect(bytes).toBeLessThanOrEqual(file.byteLength);
  expect(Object.values(metadata).every((value) => typeof value === 'string')).toBe(true);
}

test('safetensors, byte by byte', { timeout: FUZZ_TIMEOUT }, async () => {
  const valid = [writeSafetensors(tensors, { a: 'b' }), writeSafetensors(new Map())];
  await survives(damaged(valid), readAll, [SafetensorsError], 'x.safetensors');
});

test('safetensors whose header is sound JSON and says anything', { timeout: FUZZ_TIMEOUT }, async () => {
  const size = fc.oneof(fc.nat(8), fc.constantFrom(-1, 0.5, 2 ** 31, 2 ** 53 - 1, 1e300, '4', null));
  const entry = fc.record(
    {
      dtype: fc.oneof(fc.constantFrom('F32', 'F16', 'BF16', 'I32', 'I64', 'U8', 'F64', '__proto__'), fc.jsonValue()),
      shape: fc.oneof(fc.array(size, { maxLength: 4 }), fc.jsonValue()),
      data_offsets: fc.oneof(fc.array(size, { minLength: 2, maxLength: 2 }), fc.jsonValue()),
    },
    { requiredKeys: [] },
  );
  const name = fc.oneof(fc.string({ maxLength: 4 }), fc.constantFrom('__proto__', 'constructor', '__metadata__', 'toString')); // prettier-ignore
  const header = fc.array(fc.tuple(name, fc.oneof(entry, fc.jsonValue())), { maxLength: 4 });
  const file = fc.tuple(header, fc.nat(40)).map(([entries, data]) => {
    const json = Buffer.from(`{${entries.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join()}}`); // prettier-ignore
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(json.length));
    return Buffer.concat([length, json, Buffer.alloc(data)]);
  });
  await survives(file, readAll, [SafetensorsError], 'x.safetensors');
});

const checkpoint: Checkpoint = {
  variables: new Map([['head/dense_0/kernel', { shape: [2, 3], data: noise(6) }]]),
  optimizer: new Map([['head/dense_0/kernel/m', { shape: [2, 3], data: noise(6, 2) }]]),
  average: undefined,
  progress: { epoch: 2, step: 1, position: 4, lossSum: 3.5, correct: 4, seen: 9, totalSteps: 7, bestEpoch: 1, bestScore: 0.5, history: [], optimizerSteps: { 'head/dense_0/kernel': 7 } }, // prettier-ignore
};

test('checkpoints: whatever is changed, it is noticed', { timeout: FUZZ_TIMEOUT }, async () => {
  const whole = encodeCheckpoint(checkpoint);
  const other = damaged([whole]).filter((file) => Buffer.compare(file, whole) !== 0);
  const { taken } = await survives(other, (file) => decodeCheckpoint(file, 'last.safetensors'), [SafetensorsError], 'last.safetensors'); // prettier-ignore
  expect(taken).toBe(0);
});

test('checkpoints of a sound file whose progress says anything', { timeout: FUZZ_TIMEOUT }, async () => {
  const odd = fc.oneof(fc.jsonValue(), fc.constantFrom(-1, 1e300, null, '1', [], {}));
  const key = fc.constantFrom(...Object.keys(checkpoint.progress), 'unread', 'lossScale', '__proto__');
  const text = fc.oneof(
    fc.tuple(key, odd).map(([name, value]) => JSON.stringify({ ...checkpoint.progress, [name]: value })),
    fc.jsonValue().map((value) => JSON.stringify(value)),
    fc.string(),
  );
  const parse = (progress: string): void => {
    const file = writeSafetensors(checkpoint.variables, { thaw: progress });
    const decoded = decodeCheckpoint(file, 'last.safetensors').progress;
    expect(Number.isInteger(decoded.epoch) && Array.isArray(decoded.history)).toBe(true);
    expect(parseProgress(JSON.stringify(decoded))).toEqual(decoded);
  };
  await survives(text, parse, [SafetensorsError], 'last.safetensors');
});

test('kept features: a damaged file is told and made again', { timeout: FUZZ_TIMEOUT }, async () => {
  const notes: string[] = [];
  const key = { weightsHash: 'w', preprocessing: 'p', imageSize: 32, precision: 'float32', dataHash: 'd' } as const;
  const store = new FileFeatureStore(folder, key, (note) => notes.push(note));
  const features = { values: noise(6), labels: Int32Array.of(0, 1), width: 3 };
  await store.save('features', features);
  const { readFile } = await import('node:fs/promises');
  const valid = await readFile(store.path('features'));
  const parse = async (file: Buffer): Promise<void> => {
    await writeFile(store.path('features'), file);
    const loaded = await store.load('features');
    if (!loaded) throw new SafetensorsError(notes.pop() ?? 'nothing was told');
    expect(loaded.values.length).toBe(loaded.labels.length * loaded.width);
  };
  await survives(damaged([valid]), parse, [SafetensorsError], store.path('features'));
});

test('HDF5', { timeout: FUZZ_TIMEOUT }, async () => {
  const weights = randomWeights({ seed: 2, variant: 'keras', architecture: TINY });
  const head = new Map([
    ['head/dense_0/kernel', { shape: [6, 2], data: noise(12) }],
    ['head/dense_0/bias', { shape: [2], data: Float32Array.of(-1, 0.5) }],
  ]);
  const normalisation = { channels: [2, 1, 0], scale: [1, 1, 1], shift: [0, 0, 0] };
  const given = { variant: 'keras', imageSize: 32, classes: ['a', 'b'], tensors: new Map([...weights.tensors, ...head]), pooling: 'average', normalisation, architecture: TINY } as const; // prettier-ignore
  const valid = await toKerasH5(given);
  let number = 0;
  const parse = async (file: Buffer): Promise<void> => {
    // HDF5 keeps a file open of which an object could not be read, and would know it again.
    const path = join(folder, `${number++}.weights.h5`);
    await writeFile(path, file);
    const read = await readKerasH5(path).finally(() => rm(path));
    for (const { shape, data } of read.values()) expect(data.length).toBe(shape.reduce((a, b) => a * b, 1));
  };
  // After some 2,600 the library gives up, as each error leaves some of its memory behind; a run reads one file.
  await survives(damaged([valid]), parse, [WeightsError], '.weights.h5', Math.min(CASES, 1000));
  const path = join(folder, 'whole.h5');
  // The library is whole after all that.
  await writeFile(path, valid);
  expect((await readKerasH5(path)).size).toBe(given.tensors.size);
});
