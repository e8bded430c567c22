// docs/guide.md, followed to the letter: every command in its shell blocks, in order, in one folder.
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
// By path: what tests share is no export of the published package.
import { noAdapter } from '../../../kernels/src/testing/adapter.ts';
import { missingShared, sharedFiles } from '../../../model/src/testing/shared.ts';
import { EXIT } from '../errors.ts';
import { thaw } from '../testing/stand-in.ts';

const guide = await readFile(fileURLToPath(new URL('../../../../docs/guide.md', import.meta.url)), 'utf8');
const commands = [...guide.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].flatMap(([, block = '']) => block.trim().split('\n'));
const missing = missingShared(sharedFiles.weights);

test('the guide has a command for each of its steps', () => {
  const [program, verb] = [0, 1].map((at) => commands.map((line) => line.split(' ')[at]));
  expect(program).toEqual([...Array<string>(8).fill('thaw'), 'curl']);
  expect(verb?.slice(0, 8)).toEqual(['doctor', 'train', 'evaluate', 'predict', 'predict', 'export', 'export', 'serve']);
});

describe.skipIf(missing || noAdapter)('the guide on ants and bees (needs ../shared and WebGPU)', () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'thaw-guide-'));
    await symlink(join(sharedFiles.home, 'weights'), join(folder, 'weights'));
    for (const name of ['ants', 'bees']) {
      const from = join(sharedFiles.home, 'datasets', 'hymenoptera', 'train', name);
      await mkdir(join(folder, 'pictures', name), { recursive: true });
      const files = (await readdir(from)).filter((file) => file.endsWith('.jpg')).slice(0, 12);
      for (const [i, file] of files.entries())
        await cp(join(from, file), join(folder, 'pictures', name, i === 0 ? 'one.jpg' : file));
    }
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test.each(commands.filter((line) => /^thaw (?!serve)/.test(line)))('%s', async (line) => {
    const { code, stdout, stderr } = await thaw(line.replace('thaw ', ''), folder);
    expect(stderr).not.toContain('thaw: ');
    expect(code).toBe(EXIT.done);
    expect(stdout.length).toBeGreaterThan(0);
  });

  test('what was promised is there', async () => {
    expect(await readFile(join(folder, 'runs', 'pictures', 'report.html'), 'utf8')).toContain('<!doctype html>');
    expect((await readFile(join(folder, 'exported', 'pictures.onnx'))).byteLength).toBeGreaterThan(90e6);
    expect(await readdir(join(folder, 'exported', 'web'))).toEqual(['model.json', 'weights.bin']);
  });

  test('serve, and curl beside it', async () => {
    const serve = commands.find((line) => line.startsWith('thaw serve'))?.replace('thaw ', '') ?? '';
    const [, , form = '', url = ''] = commands.find((line) => line.startsWith('curl'))?.split(' ') ?? [];
    let answer: Promise<unknown> | undefined;
    const { code } = await thaw(serve, folder, (text) => {
      if (!text.includes(new URL(url).origin)) return;
      answer = ask(url, join(folder, form.replace('image=@', ''))).finally(() => process.emit('SIGTERM', 'SIGTERM'));
    });
    expect(code).toBe(EXIT.done);
    // It has been trained on this very picture.
    expect(await answer).toMatchObject({
      predictions: [{ file: 'one.jpg', classes: [{ class: 'ants' }, { class: 'bees' }] }],
    });
  });
});

/** What `curl -F image=@path url` does. */
async function ask(url: string, path: string): Promise<unknown> {
  const form = new FormData();
  form.append('image', new Blob([Uint8Array.from(await readFile(path))]), path.split('/').at(-1));
  return (await fetch(url, { method: 'POST', body: form })).json();
}
