// The one runner behind `npm start`, `npm test` and the other root scripts. Needs Node and npm only: it brings pnpm,
// installs, builds and sees to a Vulkan driver, each only when it is not done yet, and then runs the command.
//   node scripts/run.mjs <demo | thaw | test | test:long | test:browser | build | lint | format | typecheck | bench | conformance | bundle | docs | example | screenshots | pnpm> [arguments]
import { resolve } from 'node:path';

const [major] = process.versions.node.split('.');
if (Number(major) < 20) {
  console.error(`thaw: Node 20 or newer is needed; this is Node ${process.versions.node}.`);
  process.exit(1);
}

// npm runs scripts in the repository's root; a relative THAW_HOME means relative to where the person is.
if (process.env.THAW_HOME) process.env.THAW_HOME = resolve(process.env.INIT_CWD ?? '.', process.env.THAW_HOME);

const { COMMANDS } = await import('./lib/commands.mjs');
const { say, StepError } = await import('./lib/process.mjs');

const [name = 'demo', ...given] = process.argv.slice(2);
// `npm run thaw -- train` gives the arguments as they are; `pnpm thaw -- train` hands the dashes on.
const args = given[0] === '--' ? given.slice(1) : given;
const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
if (command === undefined) {
  say(`unknown command "${name}"; there are: ${Object.keys(COMMANDS).join(', ')}`);
  process.exitCode = 2;
} else {
  try {
    process.exitCode = await command(args);
  } catch (error) {
    if (!(error instanceof StepError)) throw error;
    say(error.message);
    process.exitCode = error.exitCode;
  }
}
