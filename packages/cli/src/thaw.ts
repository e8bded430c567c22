#!/usr/bin/env node
// The `thaw` command.
import { processIo } from './io.ts';
import { main } from './main.ts';

// A closed pipe (thaw summary | head) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});
const io = processIo();
process.exitCode = await main(process.argv.slice(2), io);
io.leaveStdin();
