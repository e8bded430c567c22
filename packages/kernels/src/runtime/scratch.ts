/** Buffers for the passing tensors of recorded steps. Steps run one after the other, so all of them share the buffers. */
import { planMemory, type Lifetime } from './memory-plan.ts';
import type { BufferSlice, SliceOwner } from './slice.ts';

const nobody: SliceOwner = { release: () => undefined };

export class Scratch {
  /** With the number of steps that have tensors in each. */
  readonly #buffers = new Map<BufferSlice, number>();

  constructor(private readonly acquire: (size: number) => BufferSlice) {}

  /** Places a step's tensors, or, where there is no memory for them, takes none. @returns the buffers that they are in, for leave() when the step is disposed */
  place(lifetimes: ReadonlyMap<BufferSlice, Lifetime>): ReadonlySet<BufferSlice> {
    const buffers = [...this.#buffers.keys()];
    const { bufferOf, sizes } = planMemory(
      [...lifetimes.values()],
      buffers.map(({ buffer }) => buffer.size),
    );
    const fresh: BufferSlice[] = [];
    try {
      for (const size of sizes.slice(buffers.length)) fresh.push(this.acquire(size));
    } catch (error) {
      for (const slice of fresh) slice.release();
      throw error;
    }
    buffers.push(...fresh);
    const homes = new Set<BufferSlice>();
    [...lifetimes.keys()].forEach((slice, i) => {
      const home = buffers[bufferOf[i] ?? -1];
      if (!home) return;
      slice.move(home.buffer, 0, nobody);
      homes.add(home);
    });
    for (const home of homes) this.#buffers.set(home, (this.#buffers.get(home) ?? 0) + 1);
    return homes;
  }

  /** Frees those buffers that no other step uses. */
  leave(homes: ReadonlySet<BufferSlice>): void {
    for (const home of homes) {
      const steps = (this.#buffers.get(home) ?? 0) - 1;
      if (steps > 0) this.#buffers.set(home, steps);
      else {
        this.#buffers.delete(home);
        home.release();
      }
    }
  }
}
