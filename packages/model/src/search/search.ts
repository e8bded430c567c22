// Points of a search over settings: every point of a grid, or points drawn at random from it and from ranges.
import { uniformNumbers } from '../weights/random.ts';

/** What a setting is tried with: some values, or anything between two numbers. */
export type Axis =
  | {
      /** Of the setting. */
      readonly name: string;
      /** As a person would type them. */
      readonly values: readonly string[];
    }
  | {
      /** Of the setting. */
      readonly name: string;
      /** The least. */
      readonly low: number;
      /** The largest. */
      readonly high: number;
    };

/** A value for each axis, as a person would type it. */
export type Point = Readonly<Record<string, string>>;

/** Draws that may be equal to one before in a row; then the grid has no more. */
const TRIES = 1000;

/** Every combination, the last axis changing fastest. @throws where an axis is a range: it has no end of values */
export function gridPoints(axes: readonly Axis[]): Point[] {
  return axes.reduce<Point[]>(
    (points, axis) => {
      if (!('values' in axis)) throw new Error(`${axis.name}: a range has no end of values; a grid needs a list.`);
      return points.flatMap((point) => axis.values.map((value) => ({ ...point, [axis.name]: value })));
    },
    [{}],
  );
}

/**
 * Different points, drawn evenly: from lists by value, from ranges above 0 by the logarithm (Bergstra and Bengio 2012), from
 * others by the number; numbers have three digits. Fewer than `count` where there are no more.
 */
export function randomPoints(axes: readonly Axis[], count: number, seed: number): Point[] {
  const uniform = uniformNumbers(seed);
  const draw = (axis: Axis): string => {
    if ('values' in axis) return axis.values[Math.floor(uniform() * axis.values.length)] ?? '';
    const { low, high } = axis;
    const share = uniform();
    const value = low > 0 ? low * (high / low) ** share : low + share * (high - low);
    return String(Number(value.toPrecision(3)));
  };
  const points = new Map<string, Point>();
  for (let tries = 0; points.size < count && tries < TRIES; tries++) {
    const point = Object.fromEntries(axes.map((axis) => [axis.name, draw(axis)]));
    const key = JSON.stringify(point);
    if (points.has(key)) continue;
    points.set(key, point);
    tries = 0;
  }
  return [...points.values()];
}
