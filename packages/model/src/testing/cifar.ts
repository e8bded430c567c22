// The first records of a CIFAR-10 binary batch as the tf-official network's input.
import { open } from 'node:fs/promises';

const PIXELS = 32 * 32;
const RECORD = 1 + 3 * PIXELS;
const RGB_MEAN = [123.68, 116.78, 103.94];

/** @returns [count, 32, 32, 3], RGB minus ImageNet's mean */
export async function cifarImages(path: string, count: number): Promise<Float32Array> {
  const file = await open(path);
  try {
    const { buffer } = await file.read(new Uint8Array(count * RECORD), 0, count * RECORD, 0);
    return Float32Array.from({ length: count * PIXELS * 3 }, (_, i) => {
      const [image, pixel, channel] = [Math.floor(i / (PIXELS * 3)), Math.floor(i / 3) % PIXELS, i % 3];
      return (buffer[image * RECORD + 1 + channel * PIXELS + pixel] ?? 0) - (RGB_MEAN[channel] ?? 0);
    });
  } finally {
    await file.close();
  }
}
