// Whether two engines computed the same: tensors by name, compared by the length of their difference.
//   difference = |a - b| / |b|, Euclidean norms, in float64

/** Results of one run of a workload, by name. */
export type Outputs = Readonly<Record<string, Float32Array>>;

/** How nearly two engines agree. */
export interface Agreement {
  /** The tensor that differs most, by what is allowed of it. */
  readonly worst: string;
  /** Of that tensor: length of the difference over length of the reference. */
  readonly difference: number;
  /** The largest difference that rounding explains. */
  readonly allowed: number;
}

/** An engine computed something else than the reference; its times would mean nothing. */
export class DisagreementError extends Error {
  override readonly name = 'DisagreementError';
}

/** |a - b| / |b|; 0 where both are zero, Infinity where only b is, NaN where either holds a NaN. */
export function relativeDifference(a: Float32Array, b: Float32Array): number {
  let difference = 0;
  let length = 0;
  for (let i = 0; i < b.length; i++) {
    const want = b[i] ?? NaN;
    difference += ((a[i] ?? NaN) - want) ** 2;
    length += want * want;
  }
  return difference === 0 ? 0 : Math.sqrt(difference / length);
}

/**
 * Compares all outputs of two engines.
 * @param allowedOf the largest difference of a tensor that rounding explains
 * @throws DisagreementError naming engines, workload and tensor when one is missing, of another size, or differs by more;
 *   also when a reference is zero throughout, as a kernel that computes nothing would pass
 */
export function checkAgreement(
  workload: string,
  [name, outputs]: readonly [engine: string, outputs: Outputs],
  [referenceName, reference]: readonly [engine: string, outputs: Outputs],
  allowedOf: (tensor: string) => number,
): Agreement {
  let agreement: Agreement = { worst: '', difference: 0, allowed: 0 };
  for (const [tensor, want] of Object.entries(reference)) {
    const got = outputs[tensor];
    if (got?.length !== want.length)
      throw new DisagreementError(
        `${workload}: ${name} gave ${got?.length ?? 'no'} values of ${tensor}, ${referenceName} ${want.length}.`,
      );
    if (want.every((value) => value === 0))
      throw new DisagreementError(
        `${workload}: ${referenceName}'s ${tensor} is zero throughout, which proves nothing.`,
      );
    const allowed = allowedOf(tensor);
    const difference = relativeDifference(got, want);
    if (!(difference <= allowed))
      throw new DisagreementError(
        `${workload}: ${tensor} of ${name} differs from ${referenceName}'s by ${difference.toExponential(2)} of its length; ` +
          `rounding explains ${allowed.toExponential(2)}. No time was taken.`,
      );
    if (agreement.allowed === 0 || difference / allowed > agreement.difference / agreement.allowed)
      agreement = { worst: tensor, difference, allowed };
  }
  return agreement;
}
