// The two binary interfaces of MPI: what its constants are to a program that was not compiled against a header.
import type { LibraryHandle } from 'koffi';

/** Of MPICH and all that kept its interface (Intel MPI, MVAPICH, Cray MPICH, ParaStation), or of Open MPI. */
export type AbiName = 'mpich' | 'openmpi';

/** A communicator, data type, operation or error handler: a number in MPICH, an address in Open MPI. */
export type Handle = number | bigint;

/** The constants that are used here, and the type that koffi passes handles as. */
export interface Abi {
  readonly name: AbiName;
  readonly handleType: 'int' | 'void *';
  readonly world: Handle;
  readonly byte: Handle;
  readonly float32: Handle;
  readonly float64: Handle;
  readonly add: Handle;
  readonly errorsReturn: Handle;
  /** MPI_IN_PLACE, an address. */
  readonly inPlace: bigint;
}

/** Of mpi.h of MPICH; the ABI initiative of its descendants keeps them (https://www.mpich.org/abi/). */
const MPICH: Abi = {
  name: 'mpich',
  handleType: 'int',
  world: 0x44000000,
  byte: 0x4c00010d,
  float32: 0x4c00040a,
  float64: 0x4c00080b,
  add: 0x58000003,
  errorsReturn: 0x54000001,
  // (void *) -1
  inPlace: 0xffff_ffff_ffff_ffffn,
};

/** Of Open MPI: the addresses of its library's own objects (mpi.h, OMPI_PREDEFINED_GLOBAL). */
function openMpi(library: LibraryHandle): Abi {
  const address = (name: string): bigint => {
    const symbol: unknown = library.symbol(name);
    if (typeof symbol !== 'bigint') throw new TypeError(`the address of ${name} is no bigint but ${String(symbol)}`);
    return symbol;
  };
  return {
    name: 'openmpi',
    handleType: 'void *',
    world: address('ompi_mpi_comm_world'),
    byte: address('ompi_mpi_byte'),
    float32: address('ompi_mpi_float'),
    float64: address('ompi_mpi_double'),
    add: address('ompi_mpi_op_sum'),
    errorsReturn: address('ompi_mpi_errors_return'),
    inPlace: 1n,
  };
}

/**
 * Which of the two a library has.
 * @param version what its MPI_Get_library_version says, as "Open MPI v4.1.4, package: …" or "MPICH Version:	4.0.2 …"
 * @returns undefined for what is neither
 */
export function abiName(version: string): AbiName | undefined {
  if (/^\s*Open MPI\b/i.test(version)) return 'openmpi';
  return /MPICH|Intel\(R\) MPI|MVAPICH|ParaStation/i.test(version) ? 'mpich' : undefined;
}

/** The constants of a library of that kind. */
export function abiOf(name: AbiName, library: LibraryHandle): Abi {
  return name === 'mpich' ? MPICH : openMpi(library);
}
