// Turns what the training loop reports into progress lines and JSON events.
import type { EpochRecord, Group, StepEvent } from '@thaw/model';
import type { Output } from '../output.ts';
import { duration, percent, rate, score } from '../text/format.ts';
import { sparkline } from '../text/sparkline.ts';
import { fit, type Part, type Progress } from './line.ts';
import type { Reporter } from './reporter.ts';

/** Seconds between two step events. */
const EVENT_EVERY = 1;
/** Columns of the sparkline of the loss. */
const TREND = 10;

export interface TrainingProgressOptions {
  readonly epochs: number;
  /** Images of a step, over all ranks. */
  readonly batchSize: number;
  readonly stepsPerEpoch: number;
  /** Of several ranks, which knows the time that their exchange takes. */
  readonly group?: Pick<Group, 'seconds'> | undefined;
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
  /** Seconds of exchange, when this phase and this epoch began. */
  #exchangedBefore = { phase: 0, epoch: 0 };
  /** The same, at the newest step: what validation exchanges is not of the epoch's seconds. */
  #exchangedNow = 0;
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
    const exchanged = this.options.group?.seconds ?? 0;
    this.#exchangedBefore = { phase: exchanged, epoch: exchanged };
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
    this.#exchangedNow = this.options.group?.seconds ?? 0;
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
      communicationShare: this.#exchanged('phase', elapsed),
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
    const communicationShare = this.#exchanged('epoch', record.seconds);
    this.#exchangedBefore.epoch = this.options.group?.seconds ?? 0;
    this.output.event('epoch', { ...record, ...(communicationShare !== undefined && { communicationShare }) });
    const width = this.output.width - this.#prefix.length;
    this.reporter.note(this.#prefix + epochLine({ ...record, communicationShare }, this.options.epochs, width));
  }

  /** Share of so many seconds that went into exchange with other ranks. */
  #exchanged(since: 'phase' | 'epoch', seconds: number): number | undefined {
    const exchanged = this.#exchangedNow - this.#exchangedBefore[since];
    return this.options.group && Math.min(1, Math.max(0, exchanged) / Math.max(seconds, 1e-9));
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
export function epochLine(
  record: EpochRecord & Pick<Progress, 'communicationShare'>,
  epochs: number,
  width: number,
): string {
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
    communicationShare,
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
    ...(communicationShare === undefined ? [] : [{ text: `mpi ${percent(communicationShare, 0)}`, drop: 5 }]),
    { text: duration(seconds), drop: 4 },
  );
  return fit(parts, width).join('  ');
}
