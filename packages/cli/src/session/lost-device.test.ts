// The device is destroyed in the middle of a run: a new one is opened, and the run ends as one whose device stayed.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadCheckpoint } from '@thaw/model/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
// By path: what tests share is no export of the published package.
import { noAdapter } from '../../../kernels/src/testing/adapter.ts';
import { noisyPictures } from '../testing/pictures.ts';
import { standIn } from '../testing/stand-in.ts';
import { tinyRun } from '../testing/tiny-run.ts';
import type { OpenBackend } from './backend.ts';

describe.skipIf(noAdapter)('a device that is lost', () => {
  let home: string;
  let pictures: string;
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'thaw-lost-'));
    pictures = join(home, 'pictures');
    await noisyPictures(pictures, 10);
  });
  afterAll(() => rm(home, { recursive: true, force: true }));

  /** Destroys each device once it has had so many dispatches, those that come after them never. */
  async function run(name: string, atDispatch: readonly number[]) {
    const io = standIn({ cwd: home, env: { THAW_HOME: home } });
    const folder = join(home, name);
    let [opened, watch] = [0, undefined as NodeJS.Timeout | undefined];
    const onOpen = (backend: OpenBackend): void => {
      clearInterval(watch);
      const most = atDispatch[opened++];
      if (most === undefined) return;
      watch = setInterval(() => {
        if ((backend.dispatches() ?? 0) >= most) backend.opened?.device.destroy();
      }, 1);
    };
    const { signal } = new AbortController();
    try {
      const result = await tinyRun({ io, folder, data: pictures, device: 'thaw', signal, onOpen });
      return { result, folder, warnings: io.written.stderr.match(/The device was lost/g)?.length ?? 0, opened };
    } finally {
      clearInterval(watch);
    }
  }

  test('twice, the second time before a step: the same bits as on one that stayed', async () => {
    const whole = await run('whole', []);
    expect(whole.opened).toBe(1);
    const lost = await run('lost', [1500, 0]);
    expect(lost.opened).toBe(3);
    expect(lost.warnings).toBe(2);
    expect(lost.result.history.map(({ epoch, loss }) => [epoch, loss])).toEqual(whole.result.history.map(({ epoch, loss }) => [epoch, loss])); // prettier-ignore
    const [a, b] = await Promise.all([lost, whole].map(({ folder }) => loadCheckpoint(join(folder, 'last.safetensors')))); // prettier-ignore
    for (const part of ['variables', 'optimizer', 'average'] as const) expect(a![part]).toEqual(b![part]);
  });

  test('again and again without a step in between: the run ends and says so', async () => {
    await expect(run('never', [0, 0, 0, 0])).rejects.toThrow(
      /The device was lost 3 times without a step that could be kept in between .*Try a smaller --batch-size/,
    );
  });
});
