// Turns what the training loop reports into progress lines and JSON events.
import type { EpochRecord, StepEvent } from '@thaw/model';
import type { Output } from '../output.ts';
import { duration, percent, rate, score } from '../text/format.ts';
import { sparkline } from '../text/sparkline.ts';
import { fit, type Part } from './line.ts';
import type { Reporter } from './reporter.ts';

/** Seconds between two step events. */
const EVENT_EVERY = 1;
/** Columns of the sparkline of the loss. */
const TREND = 10;

export interface TrainingProgressOptions {
  readonly epochs: number;
  readonly batchSize: number;
  readonly stepsPerEpoch: number;
  /** Stands before every label, where several methods run one after another. */
  readonly prefix?: string | undefined;
  readonly now?: () => number;
}

export class TrainingProgress {
  #epoch = 1;
  #step = 0;
  #newest: StepEvent | undefined;
  readonly #losses: number[] = [];
  #eventAt = -Infinity;
  #phase = '';
  #phaseStart = 0;
  #stepsHere = 0;
  readonly #now: () => number;
  readonly #prefix: string;

  constructor(
    private readonly output: Output,
    private readonly reporter: Reporter,
    private readonly options: TrainingProgressOptions,
  ) {
    this.#now = options.now ?? (() => performance.now() / 1000);
    this.#prefix = options.prefix === undefined ? '' : `${options.prefix}: `;
  }

  /** Goes on from a checkpoint. */
  resumeAt(epoch: number, step: number): void {
    this.#epoch = epoch;
    this.#step = step;
  }

  phase(name: string, total: number): void {
    this.#phase = name;
    this.#phaseStart = this.#now();
    this.output.event('phase', { name, total });
  }

  /** Images of a phase done so far. */
  images(done: number, total: number): void {
    const imagesPerSecond = done / Math.max(this.#now() - this.#phaseStart, 1e-9);
    this.reporter.show({
      label: this.#prefix + this.#phase,
      done,
      total,
      imagesPerSecond,
      secondsLeft: (total - done) / imagesPerSecond,
    });
    this.#event('progress', { phase: this.#phase, done, total, imagesPerSecond });
  }

  /** A step has been issued; its loss comes later, with `step`. */
  tick(): void {
    const { stepsPerEpoch, epochs, batchSize } = this.options;
    if (++this.#step > stepsPerEpoch) {
      this.#step = 1;
      this.#epoch++;
    }
    this.#stepsHere++;
    const elapsed = Math.max(this.#now() - this.#phaseStart, 1e-9);
    const left = (epochs - this.#epoch) * stepsPerEpoch + stepsPerEpoch - this.#step;
    const newest = this.#newest?.epoch === this.#epoch ? this.#newest : undefined;
    this.reporter.show({
      label: `${this.#prefix}epoch ${this.#epoch}/${epochs}`,
      done: this.#step,
      total: stepsPerEpoch,
      loss: newest?.loss,
      trend: this.#losses.length > 1 ? sparkline(this.#losses, TREND) : undefined,
      accuracy: newest?.accuracy,
      imagesPerSecond: (this.#stepsHere * batchSize) / elapsed,
      dataShare: newest && newest.dataSeconds / Math.max((newest.step * batchSize) / newest.imagesPerSecond, 1e-9),
      secondsLeft: (elapsed / this.#stepsHere) * left,
    });
  }

  step(event: StepEvent): void {
    this.#newest = event;
    this.#losses.push(event.loss);
    this.#event('step', { ...event });
  }

  epoch(record: EpochRecord): void {
    this.output.event('epoch', { ...record });
    this.reporter.note(this.#prefix + epochLine(record, this.options.epochs, this.output.width - this.#prefix.length));
  }

  /** At most one a second. */
  #event(name: string, fields: Readonly<Record<string, unknown>>): void {
    const time = this.#now();
    if (time - this.#eventAt < EVENT_EVERY) return;
    this.#eventAt = time;
    this.output.event(name, fields);
  }
}

/** What an epoch came to, on one line of at most `width` columns. */
export function epochLine(record: EpochRecord, epochs: number, width: number): string {
  const {
    epoch,
    loss,
    accuracy,
    validationLoss,
    validationAccuracy,
    validationMacroF1,
    imagesPerSecond,
    seconds,
    dataSeconds,
  } = record;
  const digits = String(epochs).length;
  const parts: Part[] = [
    { text: `epoch ${String(epoch).padStart(digits)}/${epochs}`, drop: 0 },
    { text: `loss ${loss.toFixed(4)}`, drop: 1 },
    { text: `accuracy ${percent(accuracy)}`, drop: 3 },
  ];
  if (validationAccuracy !== undefined) {
    const text = `validation ${validationLoss?.toFixed(4) ?? '-'} ${percent(validationAccuracy)} F1 ${score(validationMacroF1)}`;
    parts.push({ text, drop: 2 });
  }
  parts.push(
    { text: `${rate(imagesPerSecond)} images/s`, drop: 5 },
    { text: `data ${percent(dataSeconds / Math.max(seconds, 1e-9), 0)}`, drop: 6 },
    { text: duration(seconds), drop: 4 },
  );
  return fit(parts, width).join('  ');
}
