/**
 * The command line as a function.
 * @module @thaw/cli
 */
export { main, buildProgram } from './main.ts';
export { processIo, type Io, type Sink } from './io.ts';
export { EXIT } from './errors.ts';
