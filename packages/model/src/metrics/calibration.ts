// Whether a classifier is as often right as it says: confidence against accuracy in bins, and their mean distance.
// Guo, Pleiss, Sun, Weinberger, "On Calibration of Modern Neural Networks", 2017.

/** Images whose confidence lies in (from, to]. */
export interface CalibrationBin {
  /** Exclusive. */
  readonly from: number;
  /** Inclusive. */
  readonly to: number;
  /** Images. */
  readonly count: number;
  /** Mean probability of what was predicted; 0 without images. */
  readonly confidence: number;
  /** Share predicted right; 0 without images. */
  readonly accuracy: number;
}

/** A reliability diagram and its summary. */
export interface Calibration {
  /** Of equal width, from 0 to 1. */
  readonly bins: readonly CalibrationBin[];
  /** Expected calibration error: the mean over images of |accuracy - confidence| of their bin. */
  readonly expectedError: number;
}

/** As in the paper. */
const BINS = 15;

/**
 * @param confidences probability of what was predicted, in [0, 1], one for each image
 * @param hits whether that was right, one for each image
 * @param bins number of bins; default 15
 * @throws RangeError for a confidence outside [0, 1], or as many hits as there are not confidences
 */
export function calibration(confidences: ArrayLike<number>, hits: ArrayLike<boolean>, bins = BINS): Calibration {
  if (confidences.length !== hits.length)
    throw new RangeError(`calibration: ${confidences.length} confidences for ${hits.length} hits.`);
  const sums = Array.from({ length: bins }, () => ({ count: 0, confidence: 0, right: 0 }));
  for (let i = 0; i < confidences.length; i++) {
    const confidence = confidences[i] ?? NaN;
    const sum = sums[Math.max(0, Math.ceil(confidence * bins) - 1)];
    // A softmax's float32 may be a rounding above 1.
    if (!sum && !(confidence > 1 && confidence < 1 + 1e-5))
      throw new RangeError(`calibration: the confidence of image ${i} is ${confidence}, outside [0, 1].`);
    const into = sum ?? sums[bins - 1];
    if (!into) throw new RangeError(`calibration: ${bins} bins.`);
    into.count++;
    into.confidence += Math.min(1, confidence);
    into.right += hits[i] ? 1 : 0;
  }
  const mean = (sum: number, count: number): number => (count === 0 ? 0 : sum / count);
  const distance = sums.reduce((total, { confidence, right }) => total + Math.abs(right - confidence), 0);
  return {
    bins: sums.map(({ count, confidence, right }, i) => ({
      from: i / bins,
      to: (i + 1) / bins,
      count,
      confidence: mean(confidence, count),
      accuracy: mean(right, count),
    })),
    expectedError: mean(distance, confidences.length),
  };
}
