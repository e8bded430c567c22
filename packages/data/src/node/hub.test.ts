// Data sets of the Hugging Face hub, from a server that answers as it does.
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { png, temporaryFolder } from '../testing/files.ts';
import { parquetFile } from '../testing/parquet.ts';
import { hubName } from './hub.ts';
import { openDataset } from './open.ts';

const image = await png([50, 0, 0]);
const file = parquetFile({ images: [image, image], labels: [0, 1], names: ['cat', 'dog'] });
const sha256 = createHash('sha256').update(file).digest('hex');
const branch = 'refs%2Fconvert%2Fparquet';

/** A hub with the data set owner/pets of these files. @returns its address and what it was asked */
async function hubWith(files: readonly string[], { status = 200, oid = sha256 } = {}) {
  const asked: string[] = [];
  const server = createServer(({ url = '' }, response) => {
    asked.push(url);
    if (url === `/api/datasets/owner/pets/tree/${branch}?recursive=true`) {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(files.map((path) => ({ type: 'file', path, size: file.length, lfs: { oid } }))));
    } else if (url.startsWith(`/datasets/owner/pets/resolve/${branch}/`)) {
      response.writeHead(200, { 'content-length': file.length }).end(file);
    } else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => new Promise((resolve) => void server.close(() => resolve())));
  return { hub: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

describe('the hub', () => {
  test('is asked once; after that the files are there', async () => {
    const home = await temporaryFolder();
    const { hub, asked } = await hubWith(['default/train/0000.parquet', 'default/test/0000.parquet', 'README.md']);
    const { name, train, test: last, classes } = await openDataset('hf:owner/pets', { home, hub });
    expect([name, [...classes], train.length, last?.length]).toEqual(['owner/pets', ['cat', 'dog'], 2, 2]);
    expect((await train.readImage(1, 2))[0]).toBe(50);
    expect(asked.length).toBe(3);
    await openDataset('hf:owner/pets', { home, download: false, hub: 'http://127.0.0.1:9' });
    expect(asked.length).toBe(3);
  });

  test('its only configuration may have any name; a damaged listing is fetched anew', async () => {
    const home = await temporaryFolder();
    const { hub, asked } = await hubWith(['plain_text/train/0000.parquet']);
    await openDataset('hf:owner/pets', { home, hub });
    await openDataset('hf:owner/pets', { home, download: false });
    expect(asked.length).toBe(2);
    await writeFile(join(home, 'datasets/hub/owner/pets/plain_text.json'), '[{"path":');
    await openDataset('hf:owner/pets', { home, hub });
    // The file is there and is what the hub says: only the list is asked for.
    expect(asked.length).toBe(3);
    await openDataset('hf:owner/pets', { home, download: false });
  });

  test('of several configurations one is chosen', async () => {
    const home = await temporaryFolder();
    const { hub } = await hubWith(['small/train/0000.parquet', 'large/train/0000.parquet']);
    await expect(openDataset('hf:owner/pets', { home, hub })).rejects.toThrow('hf:owner/pets: choose one of its configurations with hf:owner/pets@name: small, large'); // prettier-ignore
    expect((await openDataset('hf:owner/pets@large', { home, hub })).train.length).toBe(2);
  });

  test.each([
    [
      'a file that is another one is not kept',
      { oid: '0'.repeat(64) },
      ['default/train/0000.parquet'],
      /sha256 is .*, expected 000/,
    ],
    [
      'no such data set',
      { status: 404 },
      [],
      /the hub has no such public data set \(it answers 404\).*name their folder/,
    ],
    ['a server in trouble', { status: 500 }, [], /the hub answers 500 .*try again later/],
    ['no Parquet files', {}, ['README.md'], /the hub has no Parquet files of it/],
    [
      'paths that lead elsewhere',
      {},
      ['../../train/0000.parquet', 'default/../0000.parquet'],
      /the hub has no Parquet files of it/,
    ],
  ] as const)('%s', async (_, answers, files, message) => {
    const home = await temporaryFolder();
    const { hub } = await hubWith(files, answers);
    await expect(openDataset('hf:owner/pets', { home, hub, retryDelay: 1 } as never)).rejects.toThrow(message);
  });

  test('offline', async () => {
    const home = await temporaryFolder();
    await expect(openDataset('hf:owner/pets', { home, download: false })).rejects.toThrow(/hf:owner\/pets is not in .*may not be downloaded/); // prettier-ignore
    await expect(openDataset('hf:owner/pets', { home, hub: 'http://127.0.0.1:9' })).rejects.toThrow(
      /the hub does not answer/,
    );
  });

  test('names', () => {
    expect(hubName('hf:beans')).toEqual({ id: 'beans', config: undefined });
    expect(hubName('https://huggingface.co/datasets/owner/pets')).toEqual({ id: 'owner/pets', config: undefined });
    expect(hubName('hf:owner/pets@small')).toEqual({ id: 'owner/pets', config: 'small' });
    expect(hubName('photos')).toBeUndefined();
    for (const wrong of ['hf:', 'hf:a/b/c', 'hf:../x', 'hf:a b']) expect(() => hubName(wrong)).toThrow('is no data set of the hub'); // prettier-ignore
  });
});
