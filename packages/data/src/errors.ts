// The errors of this package. Each message names the file or value, what is wrong with it, and the remedy.

/** Anything wrong with the user's data or options. Its message is written for the user and needs no stack trace. */
export class DataError extends Error {
  override name = 'DataError';
}

/** One image that cannot be read or decoded: `batches` skips it and counts it, unless `strict` is set. */
export class CorruptImageError extends DataError {
  override name = 'CorruptImageError';
  /** Where the image comes from. */
  readonly path: string;
  /** What is wrong with it. */
  readonly reason: string;

  constructor(path: string, reason: string, options?: ErrorOptions) {
    super(`${path}: ${reason}`, options);
    this.path = path;
    this.reason = reason;
  }
}

/** A data set that is neither in the data folder nor may be downloaded. */
export class DatasetMissingError extends DataError {
  override name = 'DatasetMissingError';
}

/** Images that have no labels where labels are needed: as the test part of a data set whose answers are kept secret. */
export class UnlabelledError extends DataError {
  override name = 'UnlabelledError';
}

/** A download that failed for good. `status` is the server's answer, where there was one. */
export class DownloadError extends DataError {
  override name = 'DownloadError';
  /** What was asked for. */
  readonly url: string;
  /** The server's HTTP status; undefined where it did not answer. */
  readonly status: number | undefined;

  constructor(url: string, message: string, options?: ErrorOptions & { status?: number | undefined }) {
    super(message, options);
    this.url = url;
    this.status = options?.status;
  }
}

/** A whole file whose hash is not the expected one. Hashes are lower-case hexadecimal. */
export class HashMismatchError extends DataError {
  override name = 'HashMismatchError';
  /** The file. */
  readonly path: string;
  /** As `sha256`. */
  readonly algorithm: string;
  /** Lower-case hexadecimal. */
  readonly expected: string;
  /** Lower-case hexadecimal. */
  readonly actual: string;

  constructor(path: string, algorithm: string, expected: string, actual: string, remedy: string) {
    super(`${path}: ${algorithm} is ${actual}, expected ${expected}; ${remedy}`);
    this.path = path;
    this.algorithm = algorithm;
    this.expected = expected;
    this.actual = actual;
  }
}
