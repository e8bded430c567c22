// Files are written whole or not at all: a full disk, a folder that cannot be written, a process that was killed.
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { removeAbandoned, replaceAtomically, writeAtomically, WriteError } from './atomic.ts';

let folder: string;
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'thaw-atomic-'))));
afterEach(() => rm(folder, { recursive: true, force: true }));

const text = (path: string): Promise<string> => readFile(path, 'utf8');
const bytes = (content: string): Uint8Array => new TextEncoder().encode(content);

test('a file in a new folder, replaced, and the one before it kept', async () => {
  const path = join(folder, 'a', 'b', 'file');
  await writeAtomically(path, bytes('one'));
  await replaceAtomically(path, `${path}.before`, bytes('two'));
  expect([await text(path), await text(`${path}.before`)]).toEqual(['two', 'one']);
  expect((await readdir(join(folder, 'a', 'b'))).sort()).toEqual(['file', 'file.before']);
});

// Every write to /dev/full fails as on a full disk.
test.skipIf(!existsSync('/dev/full'))('a full disk: the file there is untouched, nothing else is left', async () => {
  const path = join(folder, 'file');
  await writeAtomically(path, bytes('good'));
  await symlink('/dev/full', `${path}.${process.pid}.tmp`);
  const failed = await writeAtomically(path, bytes('more')).catch((error: unknown) => error);
  expect(failed).toBeInstanceOf(WriteError);
  expect(failed).toMatchObject({ code: 'ENOSPC', path });
  expect(await text(path)).toBe('good');
  expect(await readdir(folder)).toEqual(['file']);
});

test('a folder that cannot be made is named with the code', async () => {
  await writeFile(join(folder, 'file'), '');
  const path = join(folder, 'file', 'under');
  await expect(writeAtomically(path, bytes('x'))).rejects.toThrow(`${path} could not be written (EEXIST)`);
});

test('what a killed process left is removed; what a living one writes stays for an hour', async () => {
  // Process ids end at 2^22 on Linux.
  const names = ['last.4194999.tmp', `last.${process.pid}.tmp`, 'best.4194999.tmp', 'last.tmp', 'notes.txt'];
  for (const name of names) await writeFile(join(folder, name), '');
  await removeAbandoned(folder, join(folder, 'last'));
  expect((await readdir(folder)).sort()).toEqual(names.slice(1).sort());
  await removeAbandoned(folder);
  expect((await readdir(folder)).sort()).toEqual([`last.${process.pid}.tmp`, 'last.tmp', 'notes.txt']);
  const hoursAgo = new Date(Date.now() - 2 * 60 * 60 * 1000);
  await utimes(join(folder, `last.${process.pid}.tmp`), hoursAgo, hoursAgo);
  await removeAbandoned(folder);
  expect((await readdir(folder)).sort()).toEqual(['last.tmp', 'notes.txt']);
});
