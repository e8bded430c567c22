// What ranks do together, in one process: results, failures and disagreements reach all of them.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Features, FeatureStore } from '@thaw/model';
import type { NamedBatch, NamedImage } from '@thaw/data/node';
import { describe, expect, test, vi } from 'vitest';
// By path: what tests share is no export of the published package.
import { onRanks } from '../../../model/src/testing/memory-group.ts';
import { CommandError, EXIT, exitCodeOf, InterruptedError, UsageError } from '../errors.ts';
import type { Prediction } from '../session/predict.ts';
import { temporaryFolder } from '../testing/stand-in.ts';
import { cacheOfRanks } from './feature-cache.ts';
import { fileFact, optionFacts } from './facts.ts';
import { predictionsOfRanks } from './predict.ts';
import { watchPulse } from './pulse.ts';
import { ALONE, Ranks, ranksText } from './ranks.ts';

/** What each rank came to: its value, or its error and whether that is shared. */
const each = <T>(size: number, work: (ranks: Ranks) => Promise<T>) =>
  onRanks(size, async (group) => {
    const ranks = new Ranks(group);
    try {
      return await work(ranks);
    } catch (error) {
      return { error, isShared: ranks.isShared(error) };
    }
  });
const failed = (message: string, exitCode: number) => ({
  error: expect.objectContaining({ message }) as unknown,
  isShared: true,
  exitCode,
});
const withCode = (all: readonly unknown[]) =>
  all.map((one) => ({ ...(one as object), exitCode: exitCodeOf((one as { error: unknown }).error) }));

describe('together', () => {
  test('each has its own result', async () => {
    expect(await each(3, (ranks) => ranks.together(() => ranks.rank * 10))).toEqual([0, 10, 20]);
  });

  test('what fails on some fails on all, with their numbers', async () => {
    const found = await each(4, (ranks) => ranks.together(() => { if (ranks.rank % 2 === 1) throw new CommandError('no disk'); })); // prettier-ignore
    expect(withCode(found)).toEqual(new Array(4).fill(failed('ranks 1 and 3: no disk', 1)));
  });

  test('what fails on all alike is the error itself; different ones are told one by one', async () => {
    const alike = await each(2, (ranks) => ranks.together(() => { throw new UsageError('--x: no'); })); // prettier-ignore
    expect(withCode(alike)).toEqual(new Array(2).fill(failed('--x: no', 2)));
    const mixed = await each(2, (ranks) => ranks.together(() => { throw new CommandError(`file ${ranks.rank}`); })); // prettier-ignore
    expect(withCode(mixed)).toEqual(new Array(2).fill(failed('rank 0: file 0\nrank 1: file 1', 1)));
  });

  test('an error that came of a shared one is shared, any other is not', async () => {
    const [found] = await each(1, (ranks) => Promise.resolve([ranks.isShared(new Error('own')), ranks.isShared(new Error('outer', { cause: ranks.share(new InterruptedError('stopped')) }))])); // prettier-ignore
    expect(found).toEqual([false, true]);
  });
});

test('rank 0 does it for all; its failure is that of all', async () => {
  const done = vi.fn(() => ({ folder: 'runs/1', nothing: undefined }));
  expect(await each(3, (ranks) => ranks.fromFirst(done))).toEqual(new Array(3).fill({ folder: 'runs/1' }));
  expect(done).toHaveBeenCalledOnce();
  expect(await each(2, (ranks) => ranks.fromFirst(() => undefined))).toEqual([undefined, undefined]);
  const refused = await each(2, (ranks) => ranks.fromFirst(() => { throw new UsageError('--output: taken'); })); // prettier-ignore
  expect(withCode(refused)).toEqual(new Array(2).fill(failed('--output: taken', 2)));
  const bytes = await each(2, (ranks) => ranks.bytesFromFirst(async () => Uint8Array.of(1, 2, 3)));
  expect(bytes).toEqual([Uint8Array.of(1, 2, 3), Uint8Array.of(1, 2, 3)]);
  expect(await each(2, (ranks) => ranks.bytesFromFirst(async () => undefined))).toEqual([undefined, undefined]);
});

test('rank 0 downloads first, and ranks that then find it do not', async () => {
  const downloads: number[] = [];
  // Ranks 0 and 1 share a disk, rank 2 has its own.
  const there = [false, false];
  const found = await each(3, (ranks) =>
    ranks.fetching(async (download) => {
      const disk = ranks.rank === 2 ? 1 : 0;
      await Promise.resolve();
      if (!there[disk] && !download) throw new CommandError('missing');
      if (!there[disk]) downloads.push(ranks.rank);
      there[disk] = true;
      return disk;
    }),
  );
  expect(found).toEqual([0, 0, 1]);
  expect(downloads).toEqual([0, 2]);
});

describe('agreement', () => {
  test('what differs is named, with the ranks', async () => {
    const found = await each(
      4,
      (ranks) =>
      ranks.agree({ ...optionFacts({ epochs: ranks.rank === 2 ? 4 : 3, adapter: `gpu ${ranks.rank}`, quiet: undefined }), 'the hash of the weights': ranks.rank > 1 ? 'bb' : 'aa' }), // prettier-ignore
    );
    const message =
      'The ranks of this job disagree: --epochs is 3 on rank 0, 4 on rank 2; the hash of the weights is aa on rank 0, bb on ranks 2 and 3. ' +
      'Start all of them with the same options, data, weights and version of Thaw.';
    expect(withCode(found)).toEqual(new Array(4).fill(failed(message, 2)));
  });

  test('a rank without a fact is told, one that has another device is not', async () => {
    const [found] = await each(2, (ranks) => ranks.agree(optionFacts(ranks.rank === 0 ? {} : { thaw: 'conv5' })));
    expect(found).toMatchObject({ error: { message: expect.stringContaining('--thaw is nothing on rank 0, conv5 on rank 1') as string } }); // prettier-ignore
    expect(await each(2, (ranks) => ranks.agree(optionFacts({ adapter: String(ranks.rank) })))).toEqual([undefined, undefined]); // prettier-ignore
  });

  test('files by their hash', async () => {
    const path = join(await temporaryFolder(), 'abc');
    await writeFile(path, 'abc');
    // FIPS 180-2's example of SHA-256.
    expect(await fileFact(path)).toBe('ba7816bf8f01');
    expect(await fileFact(`${path}.not`)).toBeUndefined();
  });
});

test('what one rank was told to stop by is what all exit with', async () => {
  const codes = [EXIT.interrupted, EXIT.terminated, EXIT.interrupted];
  expect(await each(3, (ranks) => ranks.exitCode(codes[ranks.rank]!))).toEqual([143, 143, 143]);
  expect(await each(2, (ranks) => ranks.exitCode(EXIT.interrupted))).toEqual([130, 130]);
  expect(await ALONE.exitCode(143)).toBe(143);
});

test.each([
  [[2], 4, 'rank 2'],
  [[1, 3], 4, 'ranks 1 and 3'],
  [[0, 2, 3], 5, 'ranks 0, 2 and 3'],
  [[1, 2, 3, 4], 5, 'ranks 1 to 4'],
  [[0, 1, 2], 3, 'all 3 ranks'],
])('%j of %i are %s', (ranks, size, text) => expect(ranksText(ranks, size)).toBe(text));

test('alone, each of these is the work itself', async () => {
  await ALONE.agree({ x: '1' });
  const fetched = await ALONE.fetching((download) => Promise.resolve(download));
  expect([await ALONE.together(() => 1), await ALONE.fromFirst(() => 2), fetched, await ALONE.gather(3)]).toEqual([1, 2, true, [3]]); // prettier-ignore
  const error = new Error('own');
  await expect(ALONE.together(() => { throw error; })).rejects.toBe(error); // prettier-ignore
  expect(ALONE.isShared(ALONE.share(error))).toBe(false);
});

describe('kept features', () => {
  const features = (first: number): Features => ({ values: Float32Array.of(first, 2, 3, 4), labels: Int32Array.of(0, 1), width: 2 }); // prettier-ignore
  const store = (kept: Features | undefined): FeatureStore & { saved: string[] } => {
    const saved: string[] = [];
    return {
      saved,
      load: () => Promise.resolve(kept),
      save: async (key) => void saved.push(await Promise.resolve(key)),
    };
  };

  test.each<[string, (Features | undefined)[], Features | undefined]>([
    ['all have the same', [features(1), features(1), features(1)], features(1)],
    ['others have none, or another device’s', [features(1), undefined, features(1.5)], features(1)],
    ['rank 0 has none', [undefined, features(1), features(1)], undefined],
  ])('%s: rank 0’s are what all have', async (_, kept, wanted) => {
    const found = await each(3, (ranks) => cacheOfRanks(store(kept[ranks.rank]), ranks).load('train'));
    expect(found).toEqual(new Array(3).fill(wanted));
  });

  test('rank 0 alone writes', async () => {
    const stores = [store(undefined), store(undefined)];
    await each(2, (ranks) => cacheOfRanks(stores[ranks.rank]!, ranks).save('test', features(1)));
    expect(stores.map(({ saved }) => saved)).toEqual([['test'], []]);
  });
});

describe('predictions', () => {
  /** Batches hold the names alone; an answer is the file and the length of its name. */
  async function* read(images: Iterable<NamedImage>): AsyncGenerator<NamedBatch> {
    for (const { name } of images) {
      await Promise.resolve();
      if (!name.endsWith('broken')) yield { names: [name], images: new Float32Array(0) };
    }
  }
  async function* answer(batches: AsyncIterable<NamedBatch>): AsyncGenerator<Prediction> {
    for await (const { names } of batches) for (const file of names) yield { file, classes: [{ index: file.length, probability: 1 }] }; // prettier-ignore
  }
  const image = (name: string): NamedImage => ({ name, read: () => Promise.reject(new Error('read elsewhere')) });
  const predict = (ranks: Ranks, images: AsyncIterable<NamedImage>) =>
    predictionsOfRanks(images, { ranks, batchSize: 2, cwd: '/', read, answer });

  test.each([0, 1, 4, 5, 12, 13])('%i images on 3 ranks: all answers in order, on rank 0', async (length) => {
    const names = Array.from({ length }, (_, i) => `/${i}${i === 4 ? 'broken' : ''}`);
    async function* images(): AsyncGenerator<NamedImage> {
      for (const name of names) yield await Promise.resolve(image(name));
    }
    const found = await each(3, async (ranks) => {
      const files: string[] = [];
      for await (const { file } of predict(ranks, images())) files.push(file);
      return files;
    });
    expect(found).toEqual([names.filter((name) => !name.endsWith('broken')), [], []]);
  });

  test('answers do not wait for names that are long in coming', async () => {
    let isAnswered = (): void => undefined;
    const answered = new Promise<void>((done) => (isAnswered = done));
    async function* images(): AsyncGenerator<NamedImage> {
      yield image('/first');
      // Where the answer waits for the next name, this hangs.
      await answered;
      yield image('/second');
    }
    const found = await each(2, async (ranks) => {
      const files: string[] = [];
      for await (const { file } of predict(ranks, images())) {
        files.push(file);
        isAnswered();
      }
      return files;
    });
    expect(found[0]).toEqual(['/first', '/second']);
  });

  test('a list that fails, fails on all', async () => {
    async function* images(): AsyncGenerator<NamedImage> {
      yield await Promise.resolve(image('/first'));
      throw new CommandError('the list is gone');
    }
    const found = await each(2, async (ranks) => { for await (const _ of predict(ranks, images())); }); // prettier-ignore
    expect(withCode(found)).toEqual(new Array(2).fill(failed('the list is gone', 1)));
  });
});

describe('the pulse', () => {
  test('where nothing comes to its end after a signal, it is told once', async () => {
    const controller = new AbortController();
    const still: number[] = [];
    const pulse = watchPulse(controller.signal, (seconds) => still.push(seconds), { patience: 0.05 });
    await new Promise((done) => setTimeout(done, 150));
    expect(still).toEqual([]);
    controller.abort();
    await vi.waitFor(() => expect(still).toHaveLength(1));
    await new Promise((done) => setTimeout(done, 150));
    expect(still).toHaveLength(1);
    pulse.stop();
  });

  test('longer than three times the longest step is waited; what has stopped is not watched', async () => {
    let time = 0;
    const onStill = vi.fn();
    const controller = new AbortController();
    const pulse = watchPulse(controller.signal, onStill, { patience: 0.01, now: () => time });
    time = 100;
    pulse.beat();
    controller.abort();
    time = 399;
    await new Promise((done) => setTimeout(done, 50));
    expect(onStill).not.toHaveBeenCalled();
    time = 400;
    await vi.waitFor(() => expect(onStill).toHaveBeenCalledWith(300));
    pulse.stop();
    const other = watchPulse(new AbortController().signal, onStill, { patience: 0.01 });
    other.stop();
  });
});
