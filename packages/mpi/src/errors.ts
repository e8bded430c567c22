// The error of this package.

/** MPI cannot be used, or failed. The message says what is wrong and the remedy, and needs no stack trace. */
export class MpiError extends Error {
  override name = 'MpiError';
}
