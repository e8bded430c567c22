// From an image file to a square of RGB bytes, by sharp (libvips), in libuv's threads.
//
// EXIF orientation is applied. Grey, 16-bit and CMYK images become 8-bit sRGB (by the embedded profile where there is
// one); transparent pixels are laid on white; of an animation the first frame counts. The resampling is a triangle
// filter, antialiased, as in torchvision's evaluation (`../resize.ts`).

import { readFile } from 'node:fs/promises';
import sharp from 'sharp';
import { checkReadOptions, type ReadOptions } from '../dataset.ts';
import { CorruptImageError, DataError } from '../errors.ts';
import { planCrop, resizeAndCrop } from '../resize.ts';
import { errorCode, explain } from './paths.ts';

/** File names that are taken for images, lower case. */
export const IMAGE_EXTENSIONS = ['.jpg', '.jpeg', '.jfif', '.png', '.webp', '.gif', '.tif', '.tiff', '.avif'] as const;

/** Whether a file's name says that it is an image. */
export function isImageName(name: string): boolean {
  const lower = name.toLowerCase();
  return IMAGE_EXTENSIONS.some((extension) => lower.endsWith(extension));
}

/**
 * Reads an image file, resizes its shorter side and crops the centre.
 * @returns `size * size * 3` bytes, RGB, row by row
 * @throws CorruptImageError where the file is missing, cut off, or not an image
 */
export async function decodeImageFile(path: string, size: number, options?: ReadOptions): Promise<Uint8Array> {
  checkReadOptions(size, options);
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    // The process's own shortage is no fault of the image: skipping would drop good ones.
    if (['EMFILE', 'ENFILE', 'ENOMEM'].includes(errorCode(error) ?? '')) {
      throw new DataError(`${path}: the file ${explain(error)}`, { cause: error });
    }
    throw new CorruptImageError(path, `the file ${explain(error)}`, { cause: error });
  }
  return decodeImage(bytes, path, size, options);
}

/** Like `decodeImageFile`, from bytes; `name` is for error messages. */
export async function decodeImage(
  bytes: Uint8Array,
  name: string,
  size: number,
  options?: ReadOptions,
): Promise<Uint8Array> {
  checkReadOptions(size, options);
  if (bytes.length === 0) throw new CorruptImageError(name, 'the file is empty');
  try {
    // 'error': missing pixels fail, but the harmless oddities of some cameras' JPEGs do not.
    const image = sharp(bytes, { failOn: 'error' });
    const { autoOrient } = await image.metadata();
    const { height, width } = autoOrient;
    const plan = planCrop(height, width, size, options?.resizeShorter);
    image.autoOrient().flatten({ background: '#ffffff' }).toColourspace('srgb').raw({ depth: 'uchar' });
    // libvips samples half a pixel off where it enlarges; such images are small, and ours is exact.
    const enlarge = plan.width > width || plan.height > height;
    if (!enlarge) {
      image
        .resize(plan.width, plan.height, { fit: 'fill', kernel: 'linear' })
        .extract({ left: plan.left, top: plan.top, width: size, height: size });
    }
    const { data, info } = await image.toBuffer({ resolveWithObject: true });
    if (info.channels !== 3) throw new Error(`decoded to ${info.channels} channels instead of 3`);
    return enlarge ? resizeAndCrop(data, height, width, size, options?.resizeShorter) : data;
  } catch (error) {
    throw new CorruptImageError(name, reasonOf(error, bytes), { cause: error });
  }
}

/**
 * Shorter side of an image, pixels, from its header alone.
 * @param image a file's path, or its bytes
 * @param name for error messages
 * @throws CorruptImageError where it has none
 */
export async function shorterSideOf(image: string | Uint8Array, name: string): Promise<number> {
  try {
    const { height, width } = await sharp(image).metadata();
    return Math.min(height, width);
  } catch (error) {
    throw new CorruptImageError(name, `its size cannot be told: ${explain(error)}`, { cause: error });
  }
}

function reasonOf(error: unknown, bytes: Uint8Array): string {
  const message = (error instanceof Error ? error.message : String(error)).trim().replace(/\s*\n\s*/g, '; ');
  const start = Buffer.from(bytes.subarray(0, 4))
    .toString('hex')
    .replace(/(..)(?=.)/g, '$1 ');
  return /unsupported image format/.test(message)
    ? `not an image in a format that is understood (it begins with bytes ${start})`
    : `cannot be decoded: ${message}`;
}
