// TensorBoard's event files: TFRecord frames, each with the checksums of its length and its data, of Event messages.
//   frame = uint64 length, masked CRC-32C of these 8 bytes, data, masked CRC-32C of the data     (little-endian)
// https://github.com/tensorflow/tensorboard/blob/master/tensorboard/compat/proto/{event,summary}.proto
import { appendFile, readFile, truncate } from 'node:fs/promises';
import { Crc32c } from '@aws-crypto/crc32c';
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import type { EpochRecord } from '../training/types.ts';
import { writeAtomically } from './atomic.ts';

/** Numbers of the fields of Event, of Summary and of Summary.Value. */
const EVENT = { wallTime: 1, step: 2, fileVersion: 3, summary: 5 } as const;
const SUMMARY_VALUE = 1;
const VALUE = { tag: 1, simpleValue: 2 } as const;

/** The charts: the part of a tag before the slash groups them. */
const SCALARS: readonly (readonly [tag: string, field: keyof Omit<EpochRecord, 'phase'>])[] = [
  ['loss/train', 'loss'],
  ['loss/validation', 'validationLoss'],
  ['accuracy/train', 'accuracy'],
  ['accuracy/validation', 'validationAccuracy'],
  ['macro-f1/validation', 'validationMacroF1'],
  ['training/learning-rate', 'learningRate'],
  ['training/images-per-second', 'imagesPerSecond'],
];

/** Writes the epochs of a run for TensorBoard, one event each. */
export class EventFile {
  readonly #path: string;
  readonly #now: () => number;
  #epochs: number;

  private constructor(path: string, epochs: number, now: () => number) {
    this.#path = path;
    this.#epochs = epochs;
    this.#now = now;
  }

  /**
   * Begins a file, or goes on with the one that is there: a frame that was cut off, and epochs after `epochs`, are taken
   * from its end, so that a TensorBoard which has it open reads on.
   * @param epochs that the run has done
   * @param now milliseconds since 1970, of the events
   * @throws WriteError, or the system's error, where it cannot be written
   */
  static async open(path: string, epochs: number, now: () => number = Date.now): Promise<EventFile> {
    const bytes = await readFile(path).catch(() => new Uint8Array());
    let [kept, done] = [0, 0];
    for (const { end, data } of frames(bytes)) {
      const step = stepOf(data);
      if (step > epochs) break;
      [kept, done] = [end, Math.max(done, step)];
    }
    if (kept === 0) {
      const version = new BinaryWriter().tag(EVENT.wallTime, WireType.Bit64).double(now() / 1000).tag(EVENT.fileVersion, WireType.LengthDelimited).string('brain.Event:2'); // prettier-ignore
      await writeAtomically(path, frame(version.finish()));
    } else if (kept < bytes.length) await truncate(path, kept);
    return new EventFile(path, done, now);
  }

  /** Adds the epochs that it does not have. */
  async write(history: readonly EpochRecord[]): Promise<void> {
    const fresh = history.filter(({ epoch }) => epoch > this.#epochs);
    if (fresh.length === 0) return;
    await appendFile(this.#path, Buffer.concat(fresh.map((record) => frame(this.#event(record)))));
    this.#epochs = Math.max(...fresh.map(({ epoch }) => epoch));
  }

  #event(record: EpochRecord): Uint8Array {
    const summary = new BinaryWriter();
    for (const [tag, field] of SCALARS) {
      const value = record[field];
      if (value === undefined) continue;
      const one = new BinaryWriter().tag(VALUE.tag, WireType.LengthDelimited).string(tag).tag(VALUE.simpleValue, WireType.Bit32).float(value); // prettier-ignore
      summary.tag(SUMMARY_VALUE, WireType.LengthDelimited).bytes(one.finish());
    }
    return new BinaryWriter()
      .tag(EVENT.wallTime, WireType.Bit64)
      .double(this.#now() / 1000)
      .tag(EVENT.step, WireType.Varint)
      .int64(record.epoch)
      .tag(EVENT.summary, WireType.LengthDelimited)
      .bytes(summary.finish())
      .finish();
  }
}

/** TFRecord's masked CRC-32C: rotated by 15 bits, plus a constant, so that a checksum of data with checksums is none itself. */
export function maskedCrc32c(bytes: Uint8Array): number {
  const crc = new Crc32c().update(bytes).digest();
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

function frame(data: Uint8Array): Uint8Array {
  const framed = new Uint8Array(data.length + 16);
  const view = new DataView(framed.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, maskedCrc32c(framed.subarray(0, 8)), true);
  framed.set(data, 12);
  view.setUint32(12 + data.length, maskedCrc32c(data), true);
  return framed;
}

/** The whole frames from the start on, up to the first that is not. */
function* frames(bytes: Uint8Array): Generator<{ data: Uint8Array; end: number }> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  while (at + 16 <= bytes.length) {
    const length = Number(view.getBigUint64(at, true));
    const end = at + 16 + length;
    if (view.getUint32(at + 8, true) !== maskedCrc32c(bytes.subarray(at, at + 8)) || end > bytes.length) return;
    const data = bytes.subarray(at + 12, end - 4);
    if (view.getUint32(end - 4, true) !== maskedCrc32c(data)) return;
    yield { data, end };
    at = end;
  }
}

/** Of an Event; 0 where it has none. */
function stepOf(event: Uint8Array): number {
  const reader = new BinaryReader(event);
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (field === EVENT.step) return Number(reader.int64());
    reader.skip(type);
  }
  return 0;
}
