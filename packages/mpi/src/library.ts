// Loads an MPI library into this process, through koffi, and binds the functions that are used.
import type { KoffiFunc, LibraryHandle } from 'koffi';
import { abiName, abiOf, type Abi, type Handle } from './abi.ts';
import { MpiError } from './errors.ts';
import type { Environment, Launch } from './launch.ts';
import { candidates, expectedAbi } from './locate.ts';

/** Memory that a call reads or writes; a bigint is an address. */
export type Memory = Uint8Array | Float32Array | Float64Array | Int32Array | bigint | null;

type Fn<Args extends unknown[]> = KoffiFunc<(...args: Args) => number>;

/** MPI's functions as C has them; each returns an error code, 0 for none. */
export interface Functions {
  readonly initialized: Fn<[flag: Int32Array]>;
  readonly initThread: Fn<[argc: null, argv: null, required: number, provided: Int32Array]>;
  readonly commRank: Fn<[comm: Handle, rank: Int32Array]>;
  readonly commSize: Fn<[comm: Handle, size: Int32Array]>;
  readonly commSetErrhandler: Fn<[comm: Handle, handler: Handle]>;
  readonly errorString: Fn<[code: number, text: Uint8Array, length: Int32Array]>;
  readonly allreduce: Fn<[send: Memory, receive: Memory, count: number, type: Handle, op: Handle, comm: Handle]>;
  readonly allgather: Fn<
    [send: Memory, count: number, type: Handle, receive: Memory, count: number, type: Handle, comm: Handle]
  >;
  readonly allgatherv: Fn<
    [send: Memory, count: number, type: Handle, receive: Memory, counts: Int32Array, offsets: Int32Array, type: Handle, comm: Handle] // prettier-ignore
  >;
  readonly alltoall: Fn<
    [send: Memory, count: number, type: Handle, receive: Memory, count: number, type: Handle, comm: Handle]
  >;
  readonly barrier: Fn<[comm: Handle]>;
  readonly abort: Fn<[comm: Handle, code: number]>;
  readonly finalize: Fn<[]>;
}

/** A loaded library. */
export interface Library {
  /** As it was asked for: a name or a path. */
  readonly path: string;
  /** What it says of itself, the first line: "MPICH 4.0.2", "Open MPI v4.1.4". */
  readonly version: string;
  readonly abi: Abi;
  readonly mpi: Functions;
}

/**
 * koffi gives the calls of its threads 128 KiB of stack, on which MPICH's MPI_Allreduce ends the process with a segmentation
 * fault; a thread of C has this much.
 */
const STACK_BYTES = 8 * 2 ** 20;
/** MPI_MAX_LIBRARY_VERSION_STRING of MPICH; Open MPI's is 256. Longer than any MPI_MAX_ERROR_STRING too. */
export const TEXT_BYTES = 8192;

/**
 * Loads the first library that can be loaded.
 * @param paths files, or names that the dynamic linker knows, best first
 * @throws MpiError where none can, or where what was loaded is no MPI that is known
 */
export async function loadLibrary(
  launch: Launch,
  env: Environment,
  paths: readonly string[] = candidates(launch, env),
): Promise<Library> {
  const { default: koffi } = await import('koffi').catch((error: unknown) => {
    throw new MpiError(
      `koffi, which calls MPI, cannot be loaded on ${process.platform} ${process.arch}: ${messageOf(error)}. ` +
        'Reinstall without --omit=optional.',
    );
  });
  widenStacks(koffi);
  quietUcx();
  const tried: string[] = [];
  for (const path of paths) {
    try {
      // Open MPI's plug-ins look its symbols up among the global ones.
      return bind(path, koffi.load(path, { global: true }));
    } catch (error) {
      if (error instanceof MpiError) throw error;
      tried.push(`${path} (${messageOf(error).replace(/^Failed to load shared library: /, '')})`);
    }
  }
  throw new MpiError(noLibrary(launch, env, tried));
}

/**
 * Keeps UCX, which MPI may move data with, off what is V8's: it reads these when it is loaded. What somebody has set stays.
 * The reasons are told in docs/decisions/mpi-through-koffi.md.
 */
function quietUcx(): void {
  // It would take over the signal by which V8 catches a trap of WebAssembly; the process would die.
  process.env['UCX_ERROR_SIGNALS'] ??= '';
  // It would rewrite munmap and the like, and to try that out take a page from the heap where it cannot give one.
  process.env['UCX_MEM_EVENTS'] ??= 'no';
}

/** @throws MpiError where another part of the program has loaded a library through koffi, which settles the size */
function widenStacks(koffi: Pick<typeof import('koffi'), 'config'>): void {
  const settings = koffi.config();
  if ((settings.async_stack_size ?? 0) >= STACK_BYTES) return;
  try {
    koffi.config({ ...settings, async_stack_size: STACK_BYTES });
  } catch (error) {
    throw new MpiError(
      `MPI needs ${STACK_BYTES} bytes of stack in koffi's threads, which have ${settings.async_stack_size ?? 0}, and the program ` +
        `has used koffi before (${messageOf(error)}). Call openGroup first, or koffi.config({ async_stack_size: ${STACK_BYTES} }).`,
    );
  }
}

/** @throws MpiError where it is no MPI, or none that is known */
function bind(path: string, library: LibraryHandle): Library {
  const versionOf = bound<[text: Uint8Array, length: Int32Array]>(path, library, 'MPI_Get_library_version', [
    'void *',
    'void *',
  ]);
  const text = new Uint8Array(TEXT_BYTES);
  const length = new Int32Array(1);
  versionOf(text, length);
  const said = new TextDecoder().decode(text.subarray(0, length[0])).replace(/\0.*$/s, '');
  const name = abiName(said);
  if (name === undefined)
    throw new MpiError(
      `${path} is an MPI library of a kind that is not known here: it calls itself "${firstLine(said)}". ` +
        `Known are MPICH, those with its binary interface (Intel MPI, MVAPICH, Cray MPICH), and Open MPI; THAW_MPI_LIBRARY names the file of one.`,
    );
  const abi = abiOf(name, library);
  const h = abi.handleType;
  const p = 'void *';
  const fn = <Args extends unknown[]>(symbol: string, ...types: string[]) => bound<Args>(path, library, symbol, types);
  return {
    path,
    version: firstLine(said),
    abi,
    mpi: {
      initialized: fn('MPI_Initialized', p),
      initThread: fn('MPI_Init_thread', p, p, 'int', p),
      commRank: fn('MPI_Comm_rank', h, p),
      commSize: fn('MPI_Comm_size', h, p),
      commSetErrhandler: fn('MPI_Comm_set_errhandler', h, h),
      errorString: fn('MPI_Error_string', 'int', p, p),
      allreduce: fn('MPI_Allreduce', p, p, 'int', h, h, h),
      allgather: fn('MPI_Allgather', p, 'int', h, p, 'int', h, h),
      allgatherv: fn('MPI_Allgatherv', p, 'int', h, p, p, p, h, h),
      alltoall: fn('MPI_Alltoall', p, 'int', h, p, 'int', h, h),
      barrier: fn('MPI_Barrier', h),
      abort: fn('MPI_Abort', h, 'int'),
      finalize: fn('MPI_Finalize'),
    },
  };
}

function bound<Args extends unknown[]>(path: string, library: LibraryHandle, symbol: string, types: string[]) {
  try {
    const call: Fn<Args> = library.func(symbol, 'int', types);
    return call;
  } catch (error) {
    throw new MpiError(
      `${path} is no MPI library: it has no ${symbol} (${messageOf(error)}). THAW_MPI_LIBRARY names the file of one.`,
    );
  }
}

/** "MPICH Version:	4.0.2\nMPICH Release date: …" as "MPICH 4.0.2"; "Open MPI v4.1.4, package: …" as "Open MPI v4.1.4". */
function firstLine(text: string): string {
  const [line = ''] = text.split(/[\n,]/);
  return line.replace(/\s*Version\s*:\s*/i, ' ').trim();
}

function noLibrary(launch: Launch, env: Environment, tried: readonly string[]): string {
  const count = launch.size === undefined ? 'an MPI launcher' : `an MPI launcher, as one of ${launch.size} processes`;
  if (env['THAW_MPI_LIBRARY'])
    return `This process was started by ${count}, and the MPI library that THAW_MPI_LIBRARY names cannot be loaded: ${tried.join('; ')}.`;
  const packages =
    expectedAbi(launch, env) === 'openmpi'
      ? 'apt install libopenmpi3 (libopenmpi3t64 on Ubuntu 24.04, libopenmpi40 on Debian 13), dnf install openmpi'
      : 'apt install libmpich12, dnf install mpich';
  return (
    `This process was started by ${count}, and no MPI library was found. Tried: ${tried.join('; ')}. ` +
    `Install the one that the launcher belongs to (${packages}; on a cluster, \`module load\` it), or name its file in THAW_MPI_LIBRARY.`
  );
}

/** What went wrong, in words. */
export function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).trim();
}
