// The line that shows how a run is getting on. Pure: what there is to say and how many columns, to text that fits them.
import { clock, percent, rate } from '../text/format.ts';

export interface Progress {
  /** "epoch 3/20", "features of the train images", "test". */
  readonly label: string;
  readonly done: number;
  readonly total: number;
  readonly loss?: number | undefined;
  /** Of the loss, as a sparkline. */
  readonly trend?: string | undefined;
  readonly accuracy?: number | undefined;
  readonly imagesPerSecond?: number | undefined;
  /** Share of the time that went into waiting for data. */
  readonly dataShare?: number | undefined;
  /** Share of the time that went into exchange with other ranks. */
  readonly communicationShare?: number | undefined;
  /** Of the whole work, not only of this label. */
  readonly secondsLeft?: number | undefined;
}

/** One part of the line; the parts with the highest `drop` leave first where the terminal is narrow. */
export interface Part {
  readonly text: string;
  readonly drop: number;
}

/** The line without a bar, at most `width` columns. */
export function progressLine(progress: Progress, width: number): string {
  return fit(parts(progress), width).join('  ');
}

/** The line with a bar that takes what is left of `width` columns, at most 24. */
export function barLine(progress: Progress, width: number): string {
  const [label = '', ...rest] = fit(parts(progress), width);
  const left = width - [label, ...rest].join('  ').length - 2;
  if (left < 8) return [label, ...rest].join('  ');
  return [label, bar(progress.done / Math.max(progress.total, 1), Math.min(24, left)), ...rest].join('  ');
}

/** A bar of exactly `width` columns. */
export function bar(share: number, width: number): string {
  const filled = Math.round(Math.min(1, Math.max(0, share)) * width);
  return '━'.repeat(filled) + '╌'.repeat(width - filled);
}

function parts({
  label,
  done,
  total,
  loss,
  trend,
  accuracy,
  imagesPerSecond,
  dataShare,
  communicationShare,
  secondsLeft,
}: Progress): Part[] {
  const all: Part[] = [
    { text: label, drop: 0 },
    { text: `${done}/${total}`, drop: 2 },
  ];
  if (loss !== undefined) all.push({ text: `loss ${loss.toFixed(4)}`, drop: 1 });
  if (trend !== undefined && trend !== '') all.push({ text: trend, drop: 7 });
  if (accuracy !== undefined) all.push({ text: `accuracy ${percent(accuracy)}`, drop: 3 });
  if (imagesPerSecond !== undefined) all.push({ text: `${rate(imagesPerSecond)} images/s`, drop: 5 });
  if (dataShare !== undefined) all.push({ text: `data ${percent(dataShare, 0)}`, drop: 6 });
  if (communicationShare !== undefined) all.push({ text: `communication ${percent(communicationShare, 0)}`, drop: 6 });
  if (secondsLeft !== undefined) all.push({ text: `${clock(secondsLeft)} left`, drop: 4 });
  return all;
}

/** The texts of the parts that fit into `width` columns, two spaces between them. */
export function fit(given: readonly Part[], width: number): string[] {
  let kept = [...given];
  const length = (): number => kept.map(({ text }) => text).join('  ').length;
  while (length() > width && kept.length > 1) {
    const last = Math.max(...kept.map(({ drop }) => drop));
    kept = kept.filter(({ drop }) => drop !== last);
  }
  return kept.map(({ text }) => (text.length > width ? text.slice(0, Math.max(0, width)) : text));
}
