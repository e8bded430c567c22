// Which variables share a learning rate: the head learns at the full rate, each stage of the trunk at a share of the one
// above it, as what lies lower needs less change (Howard and Ruder, "Universal Language Model Fine-tuning", 2018, section 3.2).

/** What the variables of a group have of their own. */
export interface RateGroup {
  /** "head", or a stage: "conv5" to "conv1". */
  readonly name: string;
  /** Multiplies the learning rate. */
  readonly multiplier: number;
  /** Whether weight decay applies. */
  readonly decays: boolean;
}

/** How rates differ from stage to stage. */
export interface RateRules {
  /** Rate of a stage as a share of that of the stage above it, above 0; default 1. */
  readonly stageDecay?: number | undefined;
  /** Weight decay leaves biases and batch-norms alone; default false. */
  readonly decayKernelsOnly?: boolean | undefined;
}

/** The group of a variable, by its name. */
export type GroupOf = (name: string) => RateGroup;

const stageOf = (name: string): number | undefined => {
  const [, stage] = /^conv(\d+)_/.exec(name) ?? [];
  return stage === undefined ? undefined : Number(stage);
};

/**
 * Groups by stage of a trunk.
 *
 * @param layers names of the trunk's layers, of which the highest stage counts
 * @throws when the decay is not above 0
 */
export function rateGroups({ stageDecay = 1, decayKernelsOnly = false }: RateRules, layers: Iterable<string>): GroupOf {
  if (!(stageDecay > 0)) throw new Error(`rate groups: the decay of the rates must be above 0, got ${stageDecay}.`);
  const top = Math.max(0, ...[...layers].map((name) => stageOf(name) ?? 0));
  return (name) => {
    const stage = stageOf(name);
    return {
      name: stage === undefined ? 'head' : `conv${stage}`,
      multiplier: stage === undefined ? 1 : stageDecay ** (1 + top - stage),
      decays: !decayKernelsOnly || name.endsWith('/kernel'),
    };
  };
}
