// What needs neither a launcher nor a library.
import { expect, test, vi } from 'vitest';
import { openGroup } from './open.ts';

vi.mock('koffi', () => {
  throw new Error('koffi was loaded');
});

test('without a launcher there is no group', async () => expect(await openGroup({ PATH: '/usr/bin' })).toBeUndefined());

test('a job of one process is a group without a library', async () => {
  const group = (await openGroup({ PMI_RANK: '0', PMI_SIZE: '1' }))!;
  expect(group).toMatchObject({ rank: 0, size: 1, localRank: 0, library: undefined, seconds: 0 });
  const values = Float32Array.of(1, 2);
  const into = new Float32Array(2);
  await Promise.all([group.sum(values), group.sum(values, into), group.barrier()]);
  expect([...values, ...into]).toEqual([1, 2, 1, 2]);
  const bytes = Uint8Array.of(3, 4, 5);
  const [gathered] = await group.gather(bytes);
  const exchanged = await group.allToAll(bytes);
  bytes.fill(0);
  expect([...gathered!, ...exchanged]).toEqual([3, 4, 5, 3, 4, 5]);
  await group.close();
});

test.each([
  ['of another length', (f: Float32Array) => [f.subarray(1), f.subarray(0, 3)]],
  ['that overlaps', (f: Float32Array) => [f.subarray(0, 4), f.subarray(1, 5)]],
] as const)('a sum into memory %s is refused', async (_, views) => {
  const group = (await openGroup({ PMI_RANK: '0', PMI_SIZE: '1' }))!;
  const [values, into] = views(new Float32Array(8));
  await expect(group.sum(values!, into)).rejects.toThrow(/does not fit|overlap/);
});

test('where koffi cannot be loaded, the error says so', async () =>
  await expect(openGroup({ PMI_RANK: '0', PMI_SIZE: '2' })).rejects.toThrow(
    /^koffi, which calls MPI, cannot be loaded/,
  ));
