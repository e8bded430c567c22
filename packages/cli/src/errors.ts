// The errors a person sees: one or two sentences, and the exit code that goes with them.

/** Exit codes of the command: 128 and the signal's number where one ended it. */
export const EXIT = {
  /** It did what was asked. */
  done: 0,
  /** It was understood and could not be done. */
  failed: 1,
  /** It was typed wrongly, or a setting is out of range. */
  usage: 2,
  /** Ctrl-C (SIGINT), after a checkpoint. */
  interrupted: 130,
  /** SIGTERM, after a checkpoint. */
  terminated: 143,
} as const;

/** The command was typed wrongly, or a setting is out of range: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The command was understood and could not be done: exit code 1. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}

/** Ctrl-C or SIGTERM, after whatever had to be saved is saved. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError';

  /** @param exitCode of the signal */
  constructor(
    message: string,
    readonly exitCode: number = EXIT.interrupted,
  ) {
    super(message);
  }
}

/** The exit code that an error ends the process with. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return EXIT.usage;
  if (error instanceof InterruptedError) return error.exitCode;
  return EXIT.failed;
}

/** One or two sentences for a person; never a stack. */
export function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = systemCode(error);
  const path = systemPath(error);
  switch (code) {
    case 'ENOENT':
      return `${path} does not exist.`;
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return `${path} cannot be ${code === 'EROFS' ? 'written: the file system is read-only' : 'opened: permission denied'}. Choose another folder or change its permissions.`;
    case 'ENOSPC':
    case 'EDQUOT':
      return `${code === 'ENOSPC' ? 'The disk is full' : 'The quota is used up'}${path === 'A file' ? '' : ` (writing ${path})`}. Free some space, or point THAW_HOME at another disk.`;
    case 'ENOTDIR':
      return `${path} is not a folder.`;
    case 'EISDIR':
      return `${path} is a folder; a file is needed here.`;
    default:
      return network(error) ?? error.message;
  }
}

/** One line when the error comes from the network, else undefined. */
export function network(error: unknown): string | undefined {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    const code = systemCode(at);
    if (code !== undefined && NETWORK_CODES.has(code)) {
      return `The network cannot be reached (${code}). Connect and try again, or put the files into THAW_HOME by hand (see thaw download --help).`;
    }
  }
  return error instanceof TypeError && error.message === 'fetch failed'
    ? 'The network cannot be reached. Connect and try again, or put the files into THAW_HOME by hand (see thaw download --help).'
    : undefined;
}

const NETWORK_CODES = new Set([
  'ENOTFOUND',
  'EAI_AGAIN',
  'ECONNREFUSED',
  'ECONNRESET',
  'ENETUNREACH',
  'EHOSTUNREACH',
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_SOCKET',
]);

function systemCode(error: Error): string | undefined {
  return 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

function systemPath(error: Error): string {
  return 'path' in error && typeof error.path === 'string' ? error.path : 'A file';
}
