// What a report shows, as plain data: one method or several side by side.
import type { Calibration, EpochRecord } from '@thaw/model';
import type { LayerGroup } from '../session/layers.ts';
import type { ClassScore } from '../text/confusion.ts';

export interface ExampleImage {
  /** A data: URI. */
  readonly src: string;
  readonly actual: string;
  readonly predicted: string;
  /** Probability of the predicted class. */
  readonly confidence: number;
  /** Where the image comes from. */
  readonly where: string;
  /** A data: URI to lay over it: where the predicted class was seen. */
  readonly heat?: string | undefined;
}

/** The images that a report shows. */
export interface Examples {
  readonly right: readonly ExampleImage[];
  readonly wrong: readonly ExampleImage[];
  /** "conv5_block3_out, 4 x 4": the map that `heat` was computed from; undefined where it could not be. */
  readonly heatOf: string | undefined;
}

export interface MethodReport {
  readonly name: string;
  /** One sentence on what was trained. */
  readonly about: string;
  readonly classes: readonly string[];
  readonly history: readonly EpochRecord[];
  readonly bestEpoch: number;
  /** The part that the scores are of. */
  readonly evaluatedOn: string;
  readonly images: number;
  readonly trainImages: number;
  readonly accuracy: number;
  readonly macroF1: number;
  readonly loss: number;
  readonly confusion: readonly (readonly number[])[];
  readonly perClass: readonly ClassScore[];
  readonly calibration: Calibration | undefined;
  /** Undefined where the images are not to be had. */
  readonly examples: Examples | undefined;
  readonly groups: readonly LayerGroup[];
  /** Label and value, as they are shown. */
  readonly settings: readonly (readonly [string, string])[];
  readonly measured: readonly (readonly [string, string])[];
  readonly seconds: number;
}

export interface ReportEnvironment {
  readonly device: {
    readonly name: string;
    readonly backend: string;
    readonly driver: string;
    readonly isSoftware: boolean;
  };
  readonly versions: Readonly<Record<string, string>>;
  readonly command: string;
  /** ISO 8601. */
  readonly created: string;
  /** Label and value: what identifies the weights and the data. */
  readonly hashes: readonly (readonly [string, string])[];
}

export interface Report {
  readonly title: string;
  /** What a reader must know before the numbers, such as that the images are generated. */
  readonly notes: readonly string[];
  readonly environment: ReportEnvironment;
  readonly methods: readonly MethodReport[];
}
