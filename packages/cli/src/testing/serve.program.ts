// The server of `thaw serve` with a model that takes 2 ms an image, for tests that attack it. Tells its parent where it listens,
// and, when asked, its memory.
import { setTimeout as sleep } from 'node:timers/promises';
import { createServer } from '../serve/server.ts';

const SIDE = 32;
const server = await createServer(
  {
    name: 'colours',
    device: 'a test',
    classes: ['red', 'green', 'blue'],
    imageSize: SIDE,
    resizeShorter: 1,
    preprocessing: 'none',
    run: async (_images, size) => {
      await sleep(2 * size);
      return new Float32Array(3 * size).fill(1 / 3);
    },
  },
  { batchSize: 4, topK: 2, maxBytes: 2 ** 20, maxWaiting: 16, requestsPerSecond: 100_000, requestTimeoutMs: 500 },
);
const address = await server.listen({ host: '127.0.0.1', port: 0 });
process.on('message', () => {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  process.send?.({ kind: 'memory', value: heapUsed + external });
});
process.send?.({ kind: 'listening', value: address });
