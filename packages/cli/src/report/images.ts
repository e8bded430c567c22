// Images of a data set as data: URIs: small ones as PNG, to be enlarged crisply, photographs as JPEG; heat maps as WebP.
import type { ImageDataset } from '@thaw/data';
import sharp from 'sharp';

/** Sides up to this are kept as they are. */
const SMALL = 64;
const PHOTOGRAPH = 192;

export async function imageUri(dataset: ImageDataset, index: number): Promise<string> {
  const stored = dataset.imageSize?.height;
  const small = stored !== undefined && stored <= SMALL;
  const size = small ? stored : PHOTOGRAPH;
  const rgb = await dataset.readImage(index, size);
  const image = sharp(rgb, { raw: { width: size, height: size, channels: 3 } });
  const encoded = await (small ? image.png({ compressionLevel: 9 }) : image.jpeg({ quality: 80 })).toBuffer();
  return `data:image/${small ? 'png' : 'jpeg'};base64,${encoded.toString('base64')}`;
}

/** Values from 0 to 1, row by row. */
export interface HeatMap {
  readonly height: number;
  readonly width: number;
  readonly values: Float32Array;
}

/** Side of the picture of a heat map, which is smooth. */
const HEAT = 96;

/** Lets the image below show where the map is 0; red, then yellow, where it is 1. */
export async function heatUri({ height, width, values }: HeatMap): Promise<string> {
  const grey = Uint8Array.from(values, (value) => Math.round(255 * value));
  const smooth = await sharp(grey, { raw: { width, height, channels: 1 } })
    .resize(HEAT, HEAT, { fit: 'fill', kernel: 'cubic' })
    .raw()
    .toBuffer({ resolveWithObject: true });
  const rgba = new Uint8Array(HEAT * HEAT * 4);
  for (let i = 0; i < HEAT * HEAT; i++) {
    const value = smooth.data[i * smooth.info.channels] ?? 0;
    rgba.set([255, Math.max(0, 2 * value - 255), 32, Math.round(0.72 * value)], i * 4);
  }
  const encoded = await sharp(rgba, { raw: { width: HEAT, height: HEAT, channels: 4 } })
    .webp({ quality: 60 })
    .toBuffer();
  return `data:image/webp;base64,${encoded.toString('base64')}`;
}
