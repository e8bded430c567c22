// Calls in a row, and the memory of those in progress; the functions are stand-ins for MPI's.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { Calls } from './calls.ts';

type Callback = (error: unknown, code: number) => void;

/** A function whose calls return when `answers` are called, and what they were given, weakly. */
function standIn() {
  const answers: Callback[] = [];
  const given: WeakRef<Float32Array>[] = [];
  const async = (values: Float32Array, answer: Callback): void => {
    given.push(new WeakRef(values));
    answers.push(answer);
  };
  return { fn: { async }, answers, given };
}

/** Of which only the text of error 3 is known. */
const library = {
  version: 'MPICH 4.0.2',
  mpi: {
    errorString: (code: number, text: Uint8Array, length: Int32Array) => {
      length[0] = new TextEncoder().encodeInto('Invalid buffer pointer\n', text).written;
      return code === 3 ? 0 : 1;
    },
  },
};

/** Lets what is due happen. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('an array is kept until its call returns, whoever else lets go of it', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const { fn, answers, given } = standIn();
  fn.async(new Float32Array(1000), () => undefined);
  const call = new Calls(library).call('MPI_Allreduce', fn, new Float32Array(1000));
  await turn();
  collect();
  // koffi holds nothing, as the first of them shows.
  expect(given.map((reference) => reference.deref()?.length)).toEqual([undefined, 1000]);
  answers[1]!(null, 0);
  await call;
});

test('a call that fails fails all that follow, and says what MPI says', async () => {
  const calls = new Calls(library);
  const { fn, answers } = standIn();
  const first = calls.next(() => calls.call('MPI_Allreduce', fn, new Float32Array(1)));
  const second = calls.next(() => calls.call('MPI_Barrier', fn, new Float32Array(1)));
  const both = Promise.allSettled([first, second]);
  await turn();
  expect(answers).toHaveLength(1);
  answers[0]!(null, 3);
  const message = 'MPI_Allreduce failed (MPICH 4.0.2, code 3): Invalid buffer pointer';
  expect((await both).map((result) => (result as { reason: Error }).reason.message)).toEqual([message, message]);
  expect(answers).toHaveLength(1);
  expect(calls.error('MPI_Init_thread', 4).message).toBe('MPI_Init_thread failed (MPICH 4.0.2, code 4): unknown error');
});
