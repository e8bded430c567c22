// How a training goes on in phases: which layers train in each, for how long, at which rate. Data alone; who runs them is
// elsewhere. A head that starts from noise sends noise down into the trunk, so it is trained first (Howard and Ruder, "Universal
// Language Model Fine-tuning", 2018, whose gradual unfreezing is the third method; Kumar et al., "Fine-Tuning can Distort
// Pretrained Features", 2022).
import { blockNames, FreezeSpecError, resolveFreeze } from '../freeze/index.ts';
import type { Schedule } from '../optimizers/schedule.ts';
import type { Layer } from '../resnet50/index.ts';

/** frozen: the head alone. fine-tune: the head, then it and the thawed layers. gradual: block by block from the top. */
export const METHODS = ['frozen', 'fine-tune', 'gradual'] as const;
/** The name of a method. */
export type Method = (typeof METHODS)[number];

/** What decides the phases. */
export interface PhaseRequest {
  /** Default: one phase, in which everything that is thawed trains from the first step. */
  readonly method?: Method | undefined;
  /** Layers that train in the end, as a freeze spec. */
  readonly thaw: string;
  /** Of the phases that thaw, all together; of a head alone, its own. */
  readonly epochs: number;
  /** Of the phase in which the head trains before the trunk does. */
  readonly headEpochs: number;
  /** Of the phases that thaw; of a head alone, its own. */
  readonly learningRate: number;
  /** Likewise. */
  readonly schedule: Schedule;
  /** Likewise: epochs without a better one after which a phase ends. */
  readonly patience?: number | undefined;
}

/** One phase of a training. */
export interface Phase {
  /** "head", or the lowest of what trains besides; undefined where there is one phase alone. */
  readonly name: string | undefined;
  /** Layers of the trunk that train, as a freeze spec. */
  readonly thaw: string;
  /** At most. */
  readonly epochs: number;
  /** Of the head; lower groups have their shares. */
  readonly learningRate: number;
  /** Over the phase. */
  readonly schedule: Schedule;
  /** Epochs without a better one after which the phase ends. */
  readonly patience: number | undefined;
  /** Whether images may look different in every epoch: a head alone trains on features that are kept. */
  readonly augments: boolean;
}

/** Adam's usual rate for a head, down to nothing so that it settles. */
const HEAD_RATE = 1e-3;
const HEAD_PATIENCE = 10;

/**
 * The phases in their order; there is at least one.
 * @param table of the trunk
 * @throws FreezeSpecError where a method and what is to thaw contradict each other
 */
export function phases(request: PhaseRequest, table: readonly Layer[]): Phase[] {
  const { method, thaw, epochs, headEpochs, learningRate, schedule, patience } = request;
  const last: Phase = { name: undefined, thaw, epochs, learningRate, schedule, patience, augments: true };
  const thawed = resolveFreeze(thaw, table);
  if (method === undefined) return [last];
  if (method === 'frozen') {
    if (thawed.size > 0) throw new FreezeSpecError(`the method frozen trains the head alone, and '${thaw}' thaws ${thawed.size} layers.`); // prettier-ignore
    return [last];
  }
  if (thawed.size === 0) throw new FreezeSpecError(`the method ${method} thaws layers, and '${thaw}' names none.`);
  const head: Phase = {
    name: 'head',
    thaw: 'none',
    epochs: headEpochs,
    learningRate: HEAD_RATE,
    schedule: { kind: 'cosine' },
    patience: HEAD_PATIENCE,
    augments: false,
  };
  if (method === 'fine-tune') return [head, { ...last, name: thaw }];
  const steps = fromTheTop(thaw, thawed, table);
  // Evenly, what is left over to the last, in which most trains.
  const each = Math.max(1, Math.floor(epochs / steps.length));
  return [
    head,
    ...steps.map((spec, i) => {
      const isLast = i === steps.length - 1;
      return { ...last, name: spec, thaw: spec, epochs: isLast ? Math.max(1, epochs - each * i) : each };
    }),
  ];
}

/** A spec for each block from the top down to the lowest with a layer that thaws; the last is the spec itself. */
function fromTheTop(thaw: string, thawed: ReadonlySet<string>, table: readonly Layer[]): string[] {
  const lowest = table.findIndex(({ name }) => thawed.has(name));
  const frozenAbove = table.find(({ name, index }) => index > lowest && !thawed.has(name));
  if (frozenAbove)
    throw new FreezeSpecError(`gradual thaws from the top down, and '${thaw}' leaves ${frozenAbove.name} frozen above layers that train; name a block and what is above it, such as conv4_block6.`); // prettier-ignore
  const blocks = blockNames(table).filter((name) => name.includes('_block'));
  const start = (block: string): number => table.findIndex(({ name }) => name.startsWith(`${block}_`));
  return [...blocks.filter((block) => start(block) > lowest).reverse(), thaw];
}
