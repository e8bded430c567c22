// From files to the bytes that the network sees: RGB, square, resized as @thaw/data resizes in training.
import { resizeAndCrop } from '@thaw/data';

/** Files that are no images are left out; a folder counts as what is in it, to any depth. */
export async function imagesOf(/** @type {DataTransfer} */ { items, files }) {
  const entries = [...items].flatMap((item) => item.webkitGetAsEntry?.() ?? []);
  const found = entries.length > 0 ? (await Promise.all(entries.map(filesUnder))).flat() : [...files];
  return found.filter(isImage);
}

/** @param {File} file */
export const isImage = ({ type, name }) => type.startsWith('image/') || /\.(jpe?g|png|webp|gif|avif|bmp)$/i.test(name);

/** @param {FileSystemEntry} entry @returns {Promise<File[]>} */
async function filesUnder(entry) {
  if (entry.isFile) {
    const file = /** @type {FileSystemFileEntry} */ (entry);
    return [await new Promise((done, failed) => file.file(done, failed))];
  }
  const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader();
  /** @type {FileSystemEntry[]} */
  const inside = [];
  // A read gives at most a hundred entries, and none at the end.
  for (;;) {
    /** @type {FileSystemEntry[]} */
    const some = await new Promise((done, failed) => reader.readEntries(done, failed));
    if (some.length === 0) break;
    inside.push(...some);
  }
  return (await Promise.all(inside.map(filesUnder))).flat();
}

/**
 * Decodes an image, turned as its EXIF says. Its shorter side keeps twice `size` pixels at most: a photograph of twelve
 * megapixels is shrunk by the browser, and only the rest of the way here.
 * @param {File} file
 * @param {number} size
 * @returns {Promise<Uint8Array>} size * size * 3 bytes
 * @throws Error naming the file where the browser cannot decode it
 */
export async function readImage(file, size) {
  const bitmap = await decode(file);
  const scale = Math.min(1, (2 * size) / Math.min(bitmap.width, bitmap.height));
  const width = Math.max(1, Math.round(bitmap.width * scale));
  const height = Math.max(1, Math.round(bitmap.height * scale));
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
  if (!context) throw new Error(`${file.name}: the browser gave no canvas to read it from.`);
  context.imageSmoothingQuality = 'high';
  // What is transparent counts as white, as it looks on most pages.
  context.fillStyle = '#fff';
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  const { data } = context.getImageData(0, 0, width, height);
  const rgb = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; to < rgb.length; from += 4, to += 3) rgb.set(data.subarray(from, from + 3), to);
  return resizeAndCrop(rgb, height, width, size);
}

/** A square thumbnail. @param {File} file @param {number} side */
export async function thumbnail(file, side) {
  const bitmap = await decode(file);
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = side;
  const shorter = Math.min(bitmap.width, bitmap.height);
  const [left, top] = [(bitmap.width - shorter) / 2, (bitmap.height - shorter) / 2];
  canvas.getContext('2d')?.drawImage(bitmap, left, top, shorter, shorter, 0, 0, side, side);
  bitmap.close();
  return canvas;
}

/** @param {File} file */
const decode = (file) =>
  createImageBitmap(file).catch((cause) => {
    throw new Error(`${file.name}: the browser cannot decode it as an image.`, { cause });
  });

/**
 * Makes an element take images: dropped on it, or chosen in the file input inside it.
 * @param {HTMLElement} element
 * @param {(files: File[]) => void} onImages
 */
export function takesImages(element, onImages) {
  element.addEventListener('dragover', (event) => {
    event.preventDefault();
    element.classList.add('over');
  });
  element.addEventListener('dragleave', () => element.classList.remove('over'));
  element.addEventListener('drop', async (event) => {
    event.preventDefault();
    element.classList.remove('over');
    if (event.dataTransfer) onImages(await imagesOf(event.dataTransfer));
  });
  const input = element.querySelector('input');
  input?.addEventListener('change', () => {
    onImages([...(input.files ?? [])].filter(isImage));
    input.value = '';
  });
}
