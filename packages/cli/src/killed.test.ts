// A run that is killed (SIGKILL) again and again and resumed ends as one that was left alone: weights, optimizer, averages, loss
// scale, order of images, augmentation, metrics and the best checkpoint, bit for bit.
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Checkpoint } from '@thaw/model';
import { loadCheckpoint } from '@thaw/model/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
// By path: what tests share is no export of the published package.
import { noAdapter } from '../../kernels/src/testing/adapter.ts';
import { uniformNumbers } from '../../model/src/weights/random.ts';
import { runChild, type Ended } from './testing/child.ts';
import { noisyPictures } from './testing/pictures.ts';

const PROGRAM = new URL('./testing/tiny-run.program.js', import.meta.url);
const KILLS = 30;
const SEED = 20_261_126;

/** What a run left, but for what a clock said: seconds, and images per second. */
interface Left {
  readonly last: Checkpoint;
  readonly best: Checkpoint;
  readonly metrics: readonly Record<string, unknown>[];
}

const TIMES = ['seconds', 'imagesPerSecond', 'dataSeconds'];
const timeless = (record: object): Record<string, unknown> =>
  Object.fromEntries(Object.entries(record).filter(([name]) => !TIMES.includes(name)));

async function whatItLeft(folder: string): Promise<Left> {
  const read = async (name: string): Promise<Checkpoint> => {
    const { progress, ...rest } = await loadCheckpoint(join(folder, `${name}.safetensors`));
    return { ...rest, progress: { ...progress, history: progress.history.map(timeless) as never } };
  };
  const lines = (await readFile(join(folder, 'metrics.jsonl'), 'utf8')).trimEnd().split('\n');
  const metrics = lines.map((line) => timeless(JSON.parse(line) as object));
  return { last: await read('last'), best: await read('best'), metrics };
}

/** The bits of every tensor: toEqual would take 0 for a tiny difference's sign. */
function expectSameBits(found: Left, wanted: Left): void {
  expect(found.metrics).toEqual(wanted.metrics);
  for (const name of ['last', 'best'] as const) {
    expect(found[name].progress).toEqual(wanted[name].progress);
    for (const part of ['variables', 'optimizer', 'average'] as const) {
      const [a, b] = [found[name][part], wanted[name][part]];
      expect([...(a ?? new Map()).keys()]).toEqual([...(b ?? new Map()).keys()]);
      for (const [tensor, { data }] of b ?? []) {
        const other = a!.get(tensor)!.data;
        expect(Buffer.compare(bytesOf(other), bytesOf(data)), `${name}, ${part}, ${tensor}`).toBe(0);
      }
    }
  }
}
const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array): Buffer => Buffer.from(buffer, byteOffset, byteLength); // prettier-ignore

// With an adapter on it, in mixed precision where it can; else on tfjs-cpu.
const device = noAdapter ? 'cpu' : 'thaw';

describe(`a run on ${device}`, () => {
  let folder: string;
  let pictures: string;
  let wanted: Left;
  let whole: Ended;
  const runIn = (run: string, options: Parameters<typeof runChild>[2] = {}): Promise<Ended> =>
    runChild(PROGRAM, [join(folder, run), pictures, device], {
      ...options,
      env: { ...options.env, THAW_HOME: folder },
    });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'thaw-killed-'));
    pictures = join(folder, 'pictures');
    await noisyPictures(pictures, 10);
    whole = await runIn('whole');
    expect(whole.stderr).not.toContain('Error');
    expect(whole.code).toBe(0);
    wanted = await whatItLeft(join(folder, 'whole'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test('left alone: what it has to lose', () => {
    const { progress, optimizer, average } = wanted.last;
    expect(progress).toMatchObject({ epoch: 5, step: 0, totalSteps: 5 * 6 });
    expect(wanted.metrics).toHaveLength(5);
    expect(optimizer.size).toBeGreaterThan(4);
    expect(average?.size).toBe(wanted.last.variables.size);
  });

  test(`killed ${KILLS} times at random and resumed each time`, { timeout: 300_000 }, async () => {
    const random = uniformNumbers(SEED);
    let [kills, runs] = [0, 0];
    for (; kills < KILLS; runs++) {
      const run = `killed-${runs}`;
      for (let ended = false; !ended;) {
        // Up to the time that a whole run takes, its start included; the last of them is left to end.
        const after = kills < KILLS ? random() * whole.milliseconds : Infinity;
        const { code, signal, stderr } = await runIn(run, Number.isFinite(after) ? { signal: { name: 'SIGKILL', after } } : {}); // prettier-ignore
        ended = signal === null;
        if (ended) expect({ code, stderr: stderr.includes('Error') ? stderr : '' }).toEqual({ code: 0, stderr: '' });
        else kills++;
      }
      expectSameBits(await whatItLeft(join(folder, run)), wanted);
    }
    console.log(`${kills} kills in ${runs} runs`);
  });

  test('killed before and after each of the renamings of a checkpoint, twice over', async () => {
    // Three of a checkpoint (the one before it, the last, the best), one of the metrics, and the configuration's.
    for (const when of ['1', '1after', '2', '2after', '3', '3after', '4', '4after', '5', '5after', '9', '10after']) {
      const { signal } = await runIn('renaming', { env: { THAW_TEST_KILL: when } });
      expect(signal, when).toBe('SIGKILL');
    }
    expect((await runIn('renaming')).code).toBe(0);
    expectSameBits(await whatItLeft(join(folder, 'renaming')), wanted);
    expect((await readdir(join(folder, 'renaming'))).filter((file) => file.endsWith('.tmp'))).toEqual([]);
  });
});
