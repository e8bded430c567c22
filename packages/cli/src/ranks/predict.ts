// Images dealt to ranks in rounds, a batch to each; rank 0 names them, as it alone reads the list, and has the answers in order.
// While a round is being computed the next one is dealt and read.
import { setTimeout as sleep } from 'node:timers/promises';
import { imageNamed, type NamedBatch, type NamedImage } from '@thaw/data/node';
import type { Prediction } from '../session/predict.ts';
import type { Ranks } from './ranks.ts';

export interface DealOptions {
  readonly ranks: Ranks;
  /** Images of a rank in a round. */
  readonly batchSize: number;
  readonly cwd: string;
  /** Batches of images, those that cannot be read left out and told. */
  readonly read: (images: Iterable<NamedImage>) => AsyncIterable<NamedBatch>;
  readonly answer: (batches: AsyncIterable<NamedBatch>) => AsyncIterable<Prediction>;
}

/** Milliseconds after which names that are there do not wait for more. */
const IDLE_MS = 200;

/** A round as rank 0 deals it. */
interface Round {
  readonly names: readonly string[];
  readonly isLast: boolean;
}

/**
 * Collective.
 * @param images of rank 0; those of others are not asked for
 * @returns on rank 0 all answers in the order of the images; on others nothing
 */
export async function* predictionsOfRanks(
  images: AsyncIterable<NamedImage>,
  options: DealOptions,
): AsyncGenerator<Prediction, void, undefined> {
  const { ranks } = options;
  const dealer = new Dealer(images, ranks.size * options.batchSize);
  let pending: Promise<Prediction[]> | undefined;
  for (;;) {
    // Names are waited for without an end only where no answer is due.
    const hasAnswers = pending !== undefined;
    const round = await ranks.fromFirst(() => dealer.deal(hasAnswers));
    const before = pending;
    pending = round.names.length > 0 ? answersTo(round, options) : undefined;
    // Awaited in its turn; until then a failure must not count as unhandled.
    pending?.catch(() => undefined);
    yield* await gathered(before, ranks);
    if (!round.isLast) continue;
    yield* await gathered(pending, ranks);
    return;
  }
}

async function gathered(pending: Promise<Prediction[]> | undefined, ranks: Ranks): Promise<Prediction[]> {
  if (!pending) return [];
  const answers = await ranks.together(() => pending);
  const all = await ranks.gather(answers);
  return ranks.isFirst ? all.flat() : [];
}

async function answersTo(
  { names }: Round,
  { ranks, batchSize, cwd, read, answer }: DealOptions,
): Promise<Prediction[]> {
  const own = names.slice(ranks.rank * batchSize, (ranks.rank + 1) * batchSize);
  const answers: Prediction[] = [];
  const images = own.map((name) => imageNamed(name, { cwd }));
  if (images.length > 0) for await (const prediction of answer(read(images))) answers.push(prediction);
  return answers;
}

/** Takes names as they come, a round of them at a time. */
class Dealer {
  readonly #source: AsyncIterator<NamedImage, unknown>;
  #next: Promise<IteratorResult<NamedImage, unknown>> | undefined;

  constructor(
    images: AsyncIterable<NamedImage>,
    private readonly most: number,
  ) {
    this.#source = images[Symbol.asyncIterator]();
  }

  /** @param isPressed gives what there is, nothing included, after a moment; otherwise waits for one name at least */
  async deal(isPressed: boolean): Promise<Round> {
    const names: string[] = [];
    while (names.length < this.most) {
      this.#next ??= this.#source.next();
      this.#next.catch(() => undefined);
      if ((isPressed || names.length > 0) && !(await settles(this.#next))) break;
      const { done, value } = await this.#next;
      this.#next = undefined;
      if (done === true) return { names, isLast: true };
      names.push(value.name);
    }
    return { names, isLast: false };
  }
}

const settles = (promise: Promise<unknown>): Promise<boolean> =>
  Promise.race([
    promise.then(
      () => true,
      () => true,
    ),
    sleep(IDLE_MS, false),
  ]);
