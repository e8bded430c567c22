// How much of a data set the demo can get through in the time it has, at the speed that was measured. Pure.

/** Images per second of each kind of work. */
export interface Speed {
  /** Through the frozen trunk, inference, on the device. */
  readonly forward: number;
  /** The same by what runs the trunk where it is frozen to its end. */
  readonly features: number;
  /** Training of the head on kept features. */
  readonly head: number;
  /** Training with part of the trunk thawed; undefined where the backend cannot. */
  readonly thawed: number | undefined;
}

export interface DemoPlan {
  /** Images drawn from the training set; the validation images are among them. */
  readonly trainImages: number;
  readonly testImages: number;
  readonly frozenEpochs: number;
  /** 0 where nothing can be thawed. */
  readonly thawedEpochs: number;
}

export interface DemoBudget {
  readonly seconds: number;
  readonly available: { readonly train: number; readonly test: number };
  readonly validationSplit: number;
}

/** The article's number, and the fewest that make a curve. */
const MOST_EPOCHS = 20;
const LEAST_FROZEN = 5;
const LEAST_THAWED = 2;
/** Fewer images than this teach nothing, however slow the machine. */
const LEAST_IMAGES = 200;
/** Share of the time that goes to the frozen method, where both run. */
const FROZEN_SHARE = 0.35;

/** As many images as give both methods their fewest epochs, then as many epochs as the time allows. */
export function planDemo(speed: Speed, { seconds, available, validationSplit }: DemoBudget): DemoPlan {
  const frozenSeconds = speed.thawed === undefined ? seconds : FROZEN_SHARE * seconds;
  const epochsFor = (trainImages: number): DemoPlan => {
    const testImages = Math.min(available.test, Math.max(LEAST_IMAGES, Math.round(trainImages / 4)));
    const validation = trainImages * validationSplit;
    const learnt = trainImages - validation;
    const frozen = (frozenSeconds - (trainImages + testImages) / speed.features) / (learnt / speed.head);
    const thawed =
      speed.thawed === undefined
        ? 0
        : (seconds - frozenSeconds - testImages / speed.forward) / (learnt / speed.thawed + validation / speed.forward);
    const whole = (epochs: number): number => Math.min(MOST_EPOCHS, Math.floor(epochs));
    return { trainImages, testImages, frozenEpochs: whole(frozen), thawedEpochs: whole(thawed) };
  };
  for (let images = available.train; images > LEAST_IMAGES; images = Math.floor(images * 0.95)) {
    const plan = epochsFor(roundDown(images));
    if (plan.frozenEpochs >= LEAST_FROZEN && (speed.thawed === undefined || plan.thawedEpochs >= LEAST_THAWED))
      return plan;
  }
  const least = epochsFor(Math.min(LEAST_IMAGES, available.train));
  return {
    ...least,
    frozenEpochs: Math.max(1, least.frozenEpochs),
    thawedEpochs: speed.thawed === undefined ? 0 : Math.max(1, least.thawedEpochs),
  };
}

/** To two digits, as a person would choose a number. */
export function roundDown(value: number): number {
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(value)) - 1);
  return Math.floor(value / unit) * unit;
}
