// Images of a data set as data: URIs: small ones as PNG, to be enlarged crisply, photographs as JPEG.
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
