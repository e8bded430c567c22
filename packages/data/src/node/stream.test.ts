// Images that come one by one: order, memory, batches that are not waited for, what cannot be read.
import { expect, test } from 'vitest';
import { CorruptImageError } from '../errors.ts';
import { png } from '../testing/files.ts';
import type { NamedImage } from './inputs.ts';
import { imageStream, type ImageStreamOptions } from './stream.ts';

const options: ImageStreamOptions = { batchSize: 3, imageSize: 2, preprocessing: 'none' };

/** Its pixels are its number; it takes its time. */
const numbered = (n: number, milliseconds = 0): NamedImage => ({
  name: String(n),
  read: async () => {
    await new Promise((done) => setTimeout(done, milliseconds));
    return png([n, n, n]);
  },
});

async function collect(images: Parameters<typeof imageStream>[0], more: Partial<ImageStreamOptions> = {}) {
  const found: { names: readonly string[]; first: number[] }[] = [];
  for await (const { names, images: values } of imageStream(images, { ...options, ...more }))
    found.push({ names, first: names.map((_, i) => values[i * 12]!) });
  return found;
}

test('in order, though the first takes longest; the last batch is as long as it is', async () => {
  const images = Array.from({ length: 7 }, (_, n) => numbered(n, 50 - 7 * n));
  const found = await collect(images);
  expect(found.map(({ names }) => names)).toEqual([['0', '1', '2'], ['3', '4', '5'], ['6']]);
  expect(found.flatMap(({ first }) => first)).toEqual([0, 1, 2, 3, 4, 5, 6]);
});

test('no more are read ahead than work on it and wait for their batch', async () => {
  let read = 0;
  const images = Array.from({ length: 40 }, (_, n): NamedImage => ({ name: String(n), read: () => (read++, png([n, n, n])) })); // prettier-ignore
  const stream = imageStream(images, { ...options, workers: 4 });
  await stream.next();
  await new Promise((done) => setTimeout(done, 50));
  expect(read).toBeLessThanOrEqual(3 + 4);
  await stream.return();
});

test('a source that pauses does not hold back what is there', async () => {
  const gates = [0, 1].map(() => {
    let open = (): void => undefined;
    const wait = new Promise<void>((done) => (open = done));
    return { open, wait };
  });
  async function* slowly(): AsyncGenerator<NamedImage> {
    yield numbered(0);
    await gates[0]!.wait;
    yield numbered(1);
    yield numbered(2);
    yield numbered(3);
    await gates[1]!.wait;
  }
  const stream = imageStream(slowly(), options);
  // Nothing else opens the gates: this would hang.
  expect((await stream.next()).value).toMatchObject({ names: ['0'] });
  gates[0]!.open();
  expect((await stream.next()).value).toMatchObject({ names: ['1', '2', '3'] });
  gates[1]!.open();
  expect((await stream.next()).done).toBe(true);
});

const broken: NamedImage = { name: 'broken', read: () => Promise.resolve(new Uint8Array([1, 2, 3])) };

test('what cannot be read is skipped and told, or ends it', async () => {
  const skipped: string[] = [];
  const images = [numbered(0), broken, numbered(1), numbered(2)];
  const found = await collect(images, { onSkip: ({ path, reason }) => skipped.push(`${path}: ${reason}`) });
  expect(found.map(({ names }) => names)).toEqual([['0', '1', '2']]);
  expect(skipped).toEqual([expect.stringMatching(/^broken: not an image/)]);
  await expect(collect(images, { strict: true })).rejects.toThrow(CorruptImageError);
  expect(await collect([broken])).toEqual([]);
});

test('a list that fails says why', async () => {
  async function* failing(): AsyncGenerator<NamedImage> {
    yield numbered(0);
    throw new Error('the list is gone');
  }
  await expect(collect(failing())).rejects.toThrow('the list is gone');
});

test.each([
  ['strict, at an image that cannot be read', true],
  ['left by who reads it', false],
])('ends at once though its list stays open: %s', async (_, strict) => {
  async function* endless(): AsyncGenerator<NamedImage> {
    yield { name: 'bad', read: () => Promise.resolve(strict ? new Uint8Array([1, 2, 3]) : png([1, 1, 1])) };
    await new Promise(() => undefined);
  }
  const stream = imageStream(endless(), { ...options, strict });
  if (strict) await expect(stream.next()).rejects.toThrow(CorruptImageError);
  else {
    expect((await stream.next()).value?.names).toEqual(['bad']);
    await stream.return();
  }
});
