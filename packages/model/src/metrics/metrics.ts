// What a classifier gets right: confusion matrix, accuracy, and precision, recall and F1 of each class.
// As scikit-learn: a class never predicted has precision 0, a class without examples recall 0, and macro-F1 is the plain
// mean of F1 over all classes given.

/** How well one class is told. */
export interface ClassMetrics {
  /** Of what was predicted to be this class, the share that is; 0 where nothing was. */
  readonly precision: number;
  /** Of this class's examples, the share predicted to be it; 0 where there are none. */
  readonly recall: number;
  /** Harmonic mean of precision and recall. */
  readonly f1: number;
  /** Examples of this class. */
  readonly support: number;
}

/** confusion[actual][predicted], a count. @throws RangeError for a label outside [0, classes) */
export function confusionMatrix(
  labels: ArrayLike<number>,
  predictions: ArrayLike<number>,
  classes: number,
): number[][] {
  if (labels.length !== predictions.length)
    throw new RangeError(`confusionMatrix: ${labels.length} labels for ${predictions.length} predictions.`);
  const matrix = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (let i = 0; i < labels.length; i++) {
    const actual = labels[i] ?? -1;
    const predicted = predictions[i] ?? -1;
    const row = matrix[actual];
    if (!row || row[predicted] === undefined)
      throw new RangeError(
        `confusionMatrix: example ${i} is of class ${actual}, predicted ${predicted}, of ${classes}.`,
      );
    row[predicted]++;
  }
  return matrix;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const ratio = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole);

/** The share of examples predicted right; 0 without examples. @param confusion as `confusionMatrix` gives it */
export function accuracy(confusion: readonly (readonly number[])[]): number {
  return ratio(sum(confusion.map((row, i) => row[i] ?? 0)), sum(confusion.map(sum)));
}

/** Precision, recall and F1 of each class. @param confusion as `confusionMatrix` gives it */
export function perClass(confusion: readonly (readonly number[])[]): ClassMetrics[] {
  return confusion.map((row, i) => {
    const hits = row[i] ?? 0;
    const support = sum(row);
    const precision = ratio(hits, sum(confusion.map((other) => other[i] ?? 0)));
    const recall = ratio(hits, support);
    return { precision, recall, f1: ratio(2 * precision * recall, precision + recall), support };
  });
}

/** The plain mean of F1 over all classes. @param confusion as `confusionMatrix` gives it */
export function macroF1(confusion: readonly (readonly number[])[]): number {
  return ratio(sum(perClass(confusion).map(({ f1 }) => f1)), confusion.length);
}
