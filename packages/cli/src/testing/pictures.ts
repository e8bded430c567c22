// Folders of small pictures that a class can be told of, one of them broken.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
// By path: what tests share is no export of the published package.
import { noise } from '../../../model/src/testing/tiny.ts';

const SIDE = 32;

/** `<folder>/<class>/<n>.png`: noise, brighter in the channel of its class; "red/broken.png" is none. */
export async function noisyPictures(folder: string, each: number): Promise<void> {
  for (const [channel, name] of ['red', 'green', 'blue'].entries()) {
    await mkdir(join(folder, name), { recursive: true });
    for (let i = 0; i < each; i++) {
      const values = noise(SIDE * SIDE * 3, 100 * channel + i);
      const rgb = Uint8Array.from(values, (value, p) => 100 + 60 * value + (p % 3 === channel ? 60 : 0));
      await sharp(rgb, { raw: { width: SIDE, height: SIDE, channels: 3 } })
        .png()
        .toFile(join(folder, name, `${i}.png`));
    }
  }
  await writeFile(join(folder, 'red', 'broken.png'), 'no image');
}
