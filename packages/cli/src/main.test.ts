// Command lines that must not get as far as a device: exit codes and the sentences a person reads.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { EXIT, explain } from './errors.ts';
import { temporaryFolder, thaw } from './testing/stand-in.ts';

describe('help', () => {
  test.each(['--help', 'help train', 'train --help', 'bench step --help'])('thaw %s', async (line) => {
    const { code, stdout, stderr } = await thaw(line, '/tmp');
    expect(code).toBe(EXIT.done);
    expect(stdout).toContain('Usage: thaw');
    expect(stdout).toContain('Examples:');
    expect(stderr).toBe('');
  });

  test('the options of train stand in groups', async () => {
    const { stdout } = await thaw('train --help', '/tmp');
    const at = ['Data:', 'Model:', 'Training:', 'Device:', 'Output:'].map((group) => stdout.indexOf(`\n${group}`));
    expect(at.every((position) => position > 0)).toBe(true);
    expect(at).toEqual([...at].sort((a, b) => a - b));
  });

  test('the version', async () => {
    expect((await thaw('--version', '/tmp')).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describe('wrong usage: exit code 2, what is wrong and what would be right', () => {
  test.each([
    ['trian', 'Did you mean train?'],
    ['train --data cifar10 --epoch 3', 'Did you mean --epochs?'],
    ['train', '--data is missing'],
    ['train --data cifar10 --epochs 0', '--epochs: 0 is not a whole number of at least 1.'],
    ['train --data cifar10 --preset article-3', 'article-2'],
    ['train --data generated --weights random --thaw conv6', 'conv6'],
    ['train --data generated --backend wasm --thaw conv5', 'needs WebGPU'],
    ['bench browser --image-size 64', '--image-size: there are cases at 32 and 224, not at 64.'],
    ['bench browser --filter adam', '--filter: no case has "adam" in its name'],
    ['bench browser --graphics cuda', '--graphics: "cuda" is not one of auto, software, vulkan'],
    ['bench --tune --image-size 32', '--image-size and --batch-size go together here.'],
    ['train --data generated --trunk wasm --thaw conv5', '--trunk wasm: with --thaw conv5'],
    ['train --data generated --thaw none --coral photos', '--coral: features are to move'],
    ['train --data generated --trunk wasm --augment flip', '--trunk wasm: with --augment flip'],
    ['features --data generated --output f.npy --trunk gpu', '--trunk: "gpu" is not one of auto, device, wasm.'],
    [
      'train --data generated --backend wasm --precision mixed',
      '--precision mixed: the wasm backend has no float16; use --precision float32',
    ],
    ['train --data generated --precision half', '--precision: "half" is not one of float32, mixed'],
    ['train --data generated --precision mixed --loss-scale 0', '--loss-scale: 0 is not dynamic or a number above 0'],
    ['features --data generated --output f.csv', 'ends in neither .safetensors nor .npy'],
    ['predict --weights random x.png', 'random weights name nothing'],
  ])('thaw %s', async (line, message) => {
    const folder = await temporaryFolder();
    const { code, stdout, stderr } = await thaw(line, folder);
    expect(stderr).toContain(message);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(stdout).toBe('');
    expect(code).toBe(EXIT.usage);
  });
});

test('two kinds of output at once are refused, in the kind that machines read too', async () => {
  const { code, stderr, events } = await thaw('predict --csv --json x.png', await temporaryFolder());
  expect(stderr).toContain('--csv: choose --csv or --json, not both.');
  expect(events).toMatchObject([{ event: 'error', exitCode: EXIT.usage }]);
  expect(code).toBe(EXIT.usage);
});

describe('what cannot be done: exit code 1', () => {
  test.each([
    ['train --data nowhere/at/all', 'nowhere/at/all'],
    ['train --data empty', 'empty'],
    ['train --data one', 'one'],
    ['evaluate empty', 'is not a run folder: it has no config.json'],
    ['predict --run empty one/cat/a.png', 'is not a run folder'],
    ['train --data generated --weights keras --weights-file broken.h5', 'broken.h5'],
  ])('thaw %s', async (line, name) => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, 'empty'));
    await mkdir(join(folder, 'one', 'cat'), { recursive: true });
    await writeFile(join(folder, 'one', 'cat', 'a.png'), 'no image');
    await writeFile(join(folder, 'broken.h5'), 'no weights');
    const { code, stderr } = await thaw(line, folder);
    expect(stderr).toContain(name);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(code).toBe(EXIT.failed);
  });

  test.runIf(process.platform === 'linux')(
    'an output where no folder can be made, before anything is loaded',
    async () => {
      const { code, stderr } = await thaw('train --data nowhere --output /proc/thaw', await temporaryFolder());
      expect(stderr).toContain('/proc/thaw cannot be made in /proc');
      expect(code).toBe(EXIT.failed);
    },
  );

  test('an output that is a file', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'note.txt'), '');
    const { code, stderr } = await thaw('train --data nowhere --output note.txt', folder);
    expect(stderr).toContain('note.txt is a file; a folder is needed here.');
    expect(code).toBe(EXIT.usage);
  });

  test('with --json the error is an event too', async () => {
    const { events, stderr } = await thaw('evaluate nowhere --json', await temporaryFolder());
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({ event: 'error', exitCode: 1 });
    expect(events[0]?.['message']).toContain('is not a run folder');
    expect(stderr).toContain('thaw: ');
  });
});

test('system errors become sentences', () => {
  const error = (code: string) => Object.assign(new Error(`${code}: x`), { code, path: '/a/b' });
  expect(explain(error('ENOENT'))).toBe('/a/b does not exist.');
  expect(explain(error('ENOSPC'))).toContain('The disk is full (writing /a/b)');
  expect(explain(new TypeError('fetch failed', { cause: error('ENOTFOUND') }))).toContain(
    'The network cannot be reached (ENOTFOUND).',
  );
});

test('summary: the table of Keras, with what trains', async () => {
  const { code, stdout } = await thaw('summary --weights keras --thaw=-42: --image-size 224', '/tmp');
  expect(code).toBe(EXIT.done);
  expect(stdout).toContain('23,587,712');
  expect(stdout).toContain('conv5_block3_out');
});
