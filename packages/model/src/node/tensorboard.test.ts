// What is written, read back by another library from TensorBoard's own message definitions; checksums against RFC 3720.
import { appendFile, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import protobuf from 'protobufjs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { EpochRecord } from '../training/types.ts';
import { EventFile, maskedCrc32c } from './tensorboard.ts';

// tensorboard/compat/proto/event.proto and summary.proto, as far as scalars go.
const { root } = protobuf.parse(`
  syntax = "proto3";
  package tensorboard;
  message Event { double wall_time = 1; int64 step = 2; oneof what { string file_version = 3; Summary summary = 5; } }
  message Summary { message Value { string tag = 1; oneof value { float simple_value = 2; } } repeated Value value = 1; }
`);
const Event = root.lookupType('tensorboard.Event');

/** CRC-32C bit by bit, by its polynomial. */
function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  return ~crc >>> 0;
}
const unmask = (masked: number): number => {
  const rotated = (masked - 0xa282ead8) >>> 0;
  return ((rotated >>> 17) | (rotated << 15)) >>> 0;
};

interface Read {
  wallTime: number;
  step?: number;
  fileVersion?: string;
  summary?: { value: { tag: string; simpleValue: number }[] };
}

async function read(path: string): Promise<Read[]> {
  const bytes = await readFile(path);
  const events: Read[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = Number(bytes.readBigUInt64LE(at));
    const data = bytes.subarray(at + 12, at + 12 + length);
    expect(unmask(bytes.readUInt32LE(at + 8))).toBe(crc32c(bytes.subarray(at, at + 8)));
    expect(unmask(bytes.readUInt32LE(at + 12 + length))).toBe(crc32c(data));
    events.push(Event.toObject(Event.decode(data), { longs: Number }) as Read);
    at += 16 + length;
  }
  return events;
}

const epoch = (n: number, more: Partial<EpochRecord> = {}): EpochRecord => ({
  epoch: n,
  loss: 1 / n,
  accuracy: 0.5,
  learningRate: 0.25,
  seconds: 1,
  imagesPerSecond: 128,
  dataSeconds: 0,
  ...more,
});

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'thaw-events-'));
  path = join(folder, 'events.out.tfevents.thaw');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

// RFC 3720, B.4; the last is the check value of the CRC catalogues.
test.each([
  [new Uint8Array(32), 0x8a9136aa],
  [new Uint8Array(32).fill(0xff), 0x62a8ab43],
  [Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
  [Uint8Array.from({ length: 32 }, (_, i) => 31 - i), 0x113fdb5c],
  [new TextEncoder().encode('123456789'), 0xe3069283],
])('CRC-32C %#', (bytes, crc) => {
  expect(unmask(maskedCrc32c(bytes))).toBe(crc);
  expect(crc32c(bytes)).toBe(crc);
});

test('a file of two epochs', async () => {
  const file = await EventFile.open(path, 0, () => 1_700_000_000_500);
  await file.write([epoch(1)]);
  await file.write([epoch(1), epoch(2, { validationLoss: 0.75, validationAccuracy: 1, validationMacroF1: 0 })]);
  const [version, one, two, ...more] = await read(path);
  expect(more).toEqual([]);
  expect(version).toEqual({ wallTime: 1_700_000_000.5, fileVersion: 'brain.Event:2' });
  expect(one).toMatchObject({ step: 1, wallTime: 1_700_000_000.5 });
  expect(one!.summary!.value).toEqual([
    { tag: 'loss/train', simpleValue: 1 },
    { tag: 'accuracy/train', simpleValue: 0.5 },
    { tag: 'training/learning-rate', simpleValue: 0.25 },
    { tag: 'training/images-per-second', simpleValue: 128 },
  ]);
  expect(two!.step).toBe(2);
  expect(two!.summary!.value.map(({ tag, simpleValue }) => [tag, simpleValue])).toEqual([
    ['loss/train', 0.5],
    ['loss/validation', 0.75],
    ['accuracy/train', 0.5],
    ['accuracy/validation', 1],
    ['macro-f1/validation', 0],
    ['training/learning-rate', 0.25],
    ['training/images-per-second', 128],
  ]);
});

test('a run that is resumed goes on with its file, without what its checkpoint does not know, and in the same file', async () => {
  const history = [epoch(1), epoch(2), epoch(3)];
  await (await EventFile.open(path, 0)).write(history);
  const whole = await readFile(path);
  const { ino } = await stat(path);
  // Killed while it wrote an epoch more.
  await appendFile(path, whole.subarray(-30));
  const resumed = await EventFile.open(path, 2);
  expect((await read(path)).map(({ step }) => step)).toEqual([undefined, 1, 2]);
  await resumed.write([...history, epoch(4)]);
  expect((await read(path)).map(({ step }) => step)).toEqual([undefined, 1, 2, 3, 4]);
  expect((await stat(path)).ino).toBe(ino);
});

test('epochs that it lacks are added; a file that is none is begun anew', async () => {
  await (await EventFile.open(path, 3)).write([epoch(1), epoch(2), epoch(3)]);
  expect(await read(path)).toHaveLength(4);
  await writeFile(path, 'no event file, and longer than the sixteen bytes of an empty frame');
  await (await EventFile.open(path, 1)).write([epoch(1)]);
  expect((await read(path)).map(({ step }) => step)).toEqual([undefined, 1]);
});
