// @thaw/cli as a library: the command line as a function, and the report.
export { main, buildProgram } from './main.ts';
export { processIo, type Io, type Sink } from './io.ts';
export { EXIT } from './errors.ts';
