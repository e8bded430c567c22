// What a first signal asks for, and which exit code it leaves.
import { afterEach, expect, test, vi } from 'vitest';
import { listenForInterrupt } from './interrupt.ts';

const exit = vi.spyOn(process, 'exit').mockImplementation((code) => {
  throw new Error(`exit ${code}`);
});
afterEach(() => exit.mockClear());

test.each([
  // 128 and the number of the signal.
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGUSR2', 143],
] as const)('%s asks once, then ends the process with %i', (signal, code) => {
  const onFirst = vi.fn();
  const interrupt = listenForInterrupt(onFirst);
  process.emit(signal, signal);
  expect(interrupt.signal.aborted).toBe(true);
  expect(interrupt.exitCode).toBe(code);
  expect(exit).not.toHaveBeenCalled();
  expect(() => process.emit(signal === 'SIGINT' ? 'SIGTERM' : 'SIGINT')).toThrow(`exit ${code}`);
  expect(onFirst).toHaveBeenCalledOnce();
  interrupt.stop();
});

test('where nothing is to be saved, the first ends it', () => {
  const interrupt = listenForInterrupt();
  expect(() => process.emit('SIGTERM', 'SIGTERM')).toThrow('exit 143');
  interrupt.stop();
});
