// Classes of data sets that name the class of each image: tables and Parquet files.

import { DataError } from '../errors.ts';

/** A label is taken for a wrong column beyond so many classes. */
const MOST_CLASSES = 100_000;

/**
 * The classes of these labels: whole numbers by size, other names in code-unit order.
 * @throws DataError for fewer than two
 */
export function classesOf(source: string, labels: readonly string[]): string[] {
  const names = [...new Set(labels)];
  if (names.length < 2) {
    const only = names.length === 1 ? `only one class, ${names[0]}` : 'no classes';
    throw new DataError(`${source}: ${only}; a classifier needs at least two`);
  }
  if (names.length > MOST_CLASSES)
    throw new DataError(`${source}: ${names.length} different labels; is this the column of the classes?`);
  const areNumbers = names.every((name) => /^-?\d{1,15}$/.test(name));
  return areNumbers ? names.sort((a, b) => Number(a) - Number(b)) : names.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

/**
 * Labels as positions among the classes.
 * @param where of a label, for messages
 * @throws DataError for a label that is not among them
 */
export function labelsOf(
  labels: readonly string[],
  classes: readonly string[],
  where: (i: number) => string,
): Int32Array {
  const positions = new Map(classes.map((name, i) => [name, i]));
  return Int32Array.from(labels, (label, i) => {
    const position = positions.get(label);
    if (position === undefined) {
      throw new DataError(`${where(i)}: ${label} is not one of the classes ${listed(classes)}`);
    }
    return position;
  });
}

/** At most twelve names. */
export function listed(names: readonly string[]): string {
  return names.length > 12 ? `${names.slice(0, 12).join(', ')}, ... (${names.length})` : names.join(', ');
}

/** The number of a text among those known, which it joins where it is new. */
export function numberAmong(known: Map<string, number>, text: string): number {
  const number = known.get(text) ?? known.size;
  known.set(text, number);
  return number;
}
