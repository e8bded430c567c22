/** Buffers for the passing tensors of recorded steps. Steps run one after the other, so all of them share the buffers. */
import { planMemory, type Lifetime } from './memory-plan.ts';
import type { BufferSlice, SliceOwner } from './slice.ts';

const nobody: SliceOwner = { release: () => undefined };

export class Scratch {
  #buffers: BufferSlice[] = [];
  #steps = 0;

  constructor(private readonly acquire: (size: number) => BufferSlice) {}

  /** Places a step's tensors; leave() when the step is disposed. */
  place(lifetimes: ReadonlyMap<BufferSlice, Lifetime>): void {
    this.#steps++;
    const capacities = this.#buffers.map(({ buffer }) => buffer.size);
    const { bufferOf, sizes } = planMemory([...lifetimes.values()], capacities);
    for (const size of sizes.slice(capacities.length)) this.#buffers.push(this.acquire(size));
    [...lifetimes.keys()].forEach((slice, i) => {
      const home = this.#buffers[bufferOf[i] ?? -1];
      if (home) slice.move(home.buffer, 0, nobody);
    });
  }

  leave(): void {
    if (--this.#steps > 0) return;
    for (const slice of this.#buffers) slice.release();
    this.#buffers = [];
  }
}
