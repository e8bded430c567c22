import sharp, { type Sharp } from 'sharp';
import { describe, expect, test } from 'vitest';
import { CorruptImageError } from '../errors.ts';
import { resizeAndCrop } from '../resize.ts';
import { temporaryFolder } from '../testing/files.ts';
import { decodeImage, decodeImageFile, isImageName } from './decode.ts';

type Rgb = readonly [number, number, number];

function solid([r, g, b]: Rgb, alpha?: number): Sharp {
  const background = alpha === undefined ? { r, g, b } : { r, g, b, alpha };
  return sharp({ create: { width: 40, height: 30, channels: alpha === undefined ? 3 : 4, background } });
}

async function firstPixel(image: Sharp): Promise<number[]> {
  const rgb = await decodeImage(await image.toBuffer(), 'image', 8);
  expect(rgb.length).toBe(8 * 8 * 3);
  return [...rgb.subarray(0, 3)];
}

function expectNear(actual: number[], expected: Rgb, tolerance: number) {
  actual.forEach((value, c) => expect(Math.abs(value - expected[c]!)).toBeLessThanOrEqual(tolerance));
}

const orange: Rgb = [200, 100, 50];
const noise = Buffer.from(Array.from({ length: 64 * 48 * 3 }, (_, i) => (i * 7919) % 251));
const noisy = () => sharp(noise, { raw: { width: 64, height: 48, channels: 3 } });

describe('every kind of file becomes 8-bit RGB', () => {
  test('lossless PNG, WebP, TIFF, GIF and palette PNG: the very colour', async () => {
    expect(await firstPixel(solid(orange).png())).toEqual(orange);
    expect(await firstPixel(solid(orange).png({ palette: true }))).toEqual(orange);
    expect(await firstPixel(solid(orange).webp({ lossless: true }))).toEqual(orange);
    expect(await firstPixel(solid(orange).tiff())).toEqual(orange);
    expect(await firstPixel(solid(orange).gif())).toEqual(orange);
    expect(await firstPixel(solid(orange).avif({ lossless: true }))).toEqual(orange);
  });

  test('JPEG: to within its quantisation', async () => {
    expectNear(await firstPixel(solid(orange).jpeg()), orange, 2);
  });

  test('grey, with 8 and 16 bits: three equal channels', async () => {
    expect(await firstPixel(solid([90, 90, 90]).toColourspace('b-w').png())).toEqual([90, 90, 90]);
    expect(await firstPixel(solid([90, 90, 90]).toColourspace('b-w').jpeg())).toEqual([90, 90, 90]);
    const grey16 = await solid([90, 90, 90]).toColourspace('grey16').png().toBuffer();
    expect((await sharp(grey16).metadata()).depth).toBe('ushort');
    expectNear(await firstPixel(sharp(grey16).png()), [90, 90, 90], 1);
    expectNear([...(await decodeImage(grey16, 'grey16', 8)).subarray(0, 3)], [90, 90, 90], 1);
  });

  test('RGB with 16 bits: the high byte', async () => {
    const rgb16 = await solid(orange).toColourspace('rgb16').png().toBuffer();
    expect((await sharp(rgb16).metadata()).depth).toBe('ushort');
    expectNear([...(await decodeImage(rgb16, 'rgb16', 8)).subarray(0, 3)], orange, 1);
  });

  test('CMYK JPEG: the colour as far as print holds it', async () => {
    const cmyk = await solid(orange).toColourspace('cmyk').jpeg().toBuffer();
    expect((await sharp(cmyk).metadata()).space).toBe('cmyk');
    // Through the press's profile and back; an inverted image would be off by more than 100.
    expectNear([...(await decodeImage(cmyk, 'cmyk', 8)).subarray(0, 3)], orange, 40);
  });

  test('transparent pixels are laid on white', async () => {
    expect(await firstPixel(solid([0, 0, 0], 0).png())).toEqual([255, 255, 255]);
    expectNear(await firstPixel(solid(orange, 0.5).png()), [227.5, 177.5, 152.5], 1.5);
    const greyAlpha = sharp(Buffer.alloc(40 * 30 * 2, 128), { raw: { width: 40, height: 30, channels: 2 } }).png();
    // 128 * 128/255 + 255 * 127/255
    expectNear(await firstPixel(greyAlpha), [191, 191, 191], 1);
  });
});

describe('geometry', () => {
  /** 64 x 32: left half red, right half blue, turned as a camera would with this EXIF orientation. */
  async function oriented(orientation: number): Promise<number[]> {
    const pixels = Buffer.alloc(64 * 32 * 3);
    for (let y = 0; y < 32; y++) for (let x = 0; x < 64; x++) pixels[(y * 64 + x) * 3 + (x < 32 ? 0 : 2)] = 255;
    const jpeg = await sharp(pixels, { raw: { width: 64, height: 32, channels: 3 } })
      .withMetadata({ orientation })
      .jpeg({ chromaSubsampling: '4:4:4', quality: 100 })
      .toBuffer();
    const rgb = await decodeImage(jpeg, 'oriented', 32);
    // Red or blue at left, right, top, bottom
    const red = (x: number, y: number) => (rgb[(y * 32 + x) * 3]! > 128 ? 1 : 0);
    return [red(2, 16), red(29, 16), red(16, 2), red(16, 29)];
  }

  test('EXIF orientation is applied', async () => {
    expect((await oriented(1)).slice(0, 2)).toEqual([1, 0]);
    expect((await oriented(3)).slice(0, 2)).toEqual([0, 1]); // half a turn
    expect((await oriented(6)).slice(2)).toEqual([1, 0]); // stored left is the top
    expect((await oriented(8)).slice(2)).toEqual([0, 1]); // stored left is the bottom
    expect((await oriented(2)).slice(0, 2)).toEqual([0, 1]); // mirrored
  });

  test('agrees with our own resampling: exactly at full size and enlarged, closely where libvips shrinks', async () => {
    const png = await noisy().png().toBuffer();
    for (const [size, ratio, tolerance] of [
      [48, 1, 0],
      [96, 1, 0],
      [42, 48 / 42, 0],
      [24, 1, 5],
      [33, 1, 5],
    ] as const) {
      const theirs = await decodeImage(png, 'noise', size, { resizeShorter: ratio });
      const ours = resizeAndCrop(noise, 48, 64, size, ratio);
      expect(theirs.length).toBe(ours.length);
      // libvips holds its filters in fixed point and rounds after each pass.
      ours.forEach((value, i) => expect(Math.abs(value - theirs[i]!)).toBeLessThanOrEqual(tolerance));
    }
  });

  test('a single pixel, a line, and a very long image', async () => {
    for (const [width, height] of [
      [1, 1],
      [300, 1],
      [1, 300],
      [9000, 10],
    ] as const) {
      const image = sharp({ create: { width, height, channels: 3, background: { r: 1, g: 2, b: 3 } } });
      const rgb = await decodeImage(await image.png().toBuffer(), 'thin', 16);
      expect([...new Set(rgb)]).toEqual([1, 2, 3]);
    }
  });

  test('refuses a crop larger than the image, and half a pixel', async () => {
    await expect(decodeImage(new Uint8Array(1), 'x', 8, { resizeShorter: 0.5 })).rejects.toThrow('resizeShorter 0.5');
    await expect(decodeImage(new Uint8Array(1), 'x', 8.5)).rejects.toThrow('image size 8.5');
  });
});

describe('corrupt images are named', () => {
  const corrupt = async (bytes: Uint8Array) => {
    const error: unknown = await decodeImage(bytes, 'dir/x.jpg', 8).catch((e: unknown) => e);
    if (!(error instanceof CorruptImageError)) throw new Error(`expected a CorruptImageError, got ${String(error)}`);
    expect(error.path).toBe('dir/x.jpg');
    expect(error.message).toBe(`dir/x.jpg: ${error.reason}`);
    return error.reason;
  };

  test('cut off, in each format', async () => {
    for (const bytes of [
      await noisy().jpeg().toBuffer(),
      await noisy().png().toBuffer(),
      await noisy().webp().toBuffer(),
    ]) {
      expect(await corrupt(bytes.subarray(0, bytes.length >> 1))).toMatch(/^cannot be decoded: /);
    }
  });

  test('empty, a text file, and a page that a broken download left', async () => {
    expect(await corrupt(new Uint8Array(0))).toBe('the file is empty');
    expect(await corrupt(Buffer.from('<html>404</html>'))).toBe(
      'not an image in a format that is understood (it begins with bytes 3c 68 74 6d)',
    );
  });

  test('a PNG with a changed byte', async () => {
    const bytes = await noisy().png().toBuffer();
    bytes[bytes.length >> 1]! ^= 0xff;
    expect(await corrupt(bytes)).toMatch(/^cannot be decoded: /);
  });

  test('a file that is not there', async () => {
    const path = `${await temporaryFolder()}/gone.png`;
    await expect(decodeImageFile(path, 8)).rejects.toThrow(`${path}: the file does not exist`);
  });
});

test('isImageName goes by the extension, in any case', () => {
  expect(['a.JPG', 'b.jpeg', 'c.Png', 'd.webp'].every(isImageName)).toBe(true);
  expect(['a.txt', 'jpg', 'a.jpg.part', 'a.svg', 'Thumbs.db'].some(isImageName)).toBe(false);
});
