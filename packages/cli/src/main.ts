// The `thaw` program: commands, help, and what becomes of errors.
import { Command, CommanderError } from 'commander';
import type { AnyCommand } from './commands/command.ts';
import { commands } from './commands/index.ts';
import { EXIT, explain, exitCodeOf, UsageError } from './errors.ts';
import type { Io } from './io.ts';
import { Output, wantsColor } from './output.ts';
import { flagOf, type SettingName } from './options/settings.ts';
import { ioOfRank, Job } from './ranks/job.ts';
import { THAW_VERSION } from './versions.ts';
import pc from 'picocolors';

/** Runs one command line, program name not included. Resolves to the exit code; nothing is thrown. */
export async function main(args: readonly string[], io: Io): Promise<number> {
  const job = Job.of(io);
  const program = buildProgram(job ? ioOfRank(io, job) : io);
  try {
    await program.parseAsync(spelledOut(args), { from: 'user' });
    return EXIT.done;
  } catch (error) {
    if (error instanceof CommanderError) return commanderExit(error);
    const code = exitCodeOf(error);
    const tell = (): void => tellError(error, args, io, job);
    if (job) return job.end(error, code, tell);
    tell();
    return code;
  }
}

/** Says what went wrong, to people and in events. */
function tellError(error: unknown, args: readonly string[], io: Io, job: Job | undefined): void {
  const wants = (name: SettingName): boolean => args.includes(flagOf(name));
  const exitCode = exitCodeOf(error);
  const message = explain(error);
  if (!job || job.speaks) new Output(io, { json: wants('json') }).event('error', { message, exitCode });
  const { red, yellow } = pc.createColors(wantsColor(io, io.stderr.isTTY === true));
  const name = job && !job.speaks ? `thaw: ${job.name}:` : 'thaw:';
  io.stderr.write(`${exitCode === EXIT.interrupted ? yellow(name) : red(name)} ${message}\n`);
  if (error instanceof UsageError)
    io.stderr.write(`See thaw ${args.find((word) => !word.startsWith('-')) ?? ''} --help.\n`);
  if (error instanceof Error && (wants('verbose') || io.env['THAW_DEBUG']))
    io.stderr.write(`${describeStack(error)}\n`);
}

/** thaw bench --tune is short for thaw bench tune. */
function spelledOut(args: readonly string[]): string[] {
  if (args[0] !== 'bench' || !args.includes('--tune')) return [...args];
  return ['bench', 'tune', ...args.slice(1).filter((word) => word !== '--tune')];
}

/** The commander program with every command. */
export function buildProgram(io: Io): Command {
  const program = new Command('thaw');
  const width = (sink: Io['stdout']): number => Math.min(sink.isTTY === true ? (sink.columns ?? 80) : 100, 110);
  program
    .description('Fine-tunes image classifiers on any GPU that WebGPU reaches.')
    .version(THAW_VERSION, '--version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .showSuggestionAfterError(true)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: (text) => void io.stderr.write(text),
      getOutHelpWidth: () => width(io.stdout),
      getErrHelpWidth: () => width(io.stderr),
      getOutHasColors: () => wantsColor(io, io.stdout.isTTY === true),
      getErrHasColors: () => wantsColor(io, io.stderr.isTTY === true),
      outputError: (text, write) =>
        write(text.replace(/^error: /, 'thaw: ').replace(/\n\((Did you mean .*)\)/, '\n$1')),
    })
    .configureHelp({ styleTitle: (text) => pc.createColors(wantsColor(io, io.stdout.isTTY === true)).bold(text) })
    .addHelpText('after', PROGRAM_HELP);
  for (const command of commands) add(program, command, io);
  return program;
}

function add(program: Command, command: AnyCommand, io: Io): void {
  command.addTo(program, io).copyInheritedSettings(program);
}

const PROGRAM_HELP = `
Examples:
  thaw demo                                          both methods on this machine, in minutes
  thaw doctor                                        is this machine ready?
  thaw train --data cifar10 --preset article-1       fine-tune the head on the frozen trunk
  thaw train --data photos/ --thaw conv5             thaw the last stage too
  thaw predict --run runs/... photo.jpg              use what was trained

THAW_HOME names the folder with weights/ and datasets/ (default: this platform's cache folder).
Exit codes: 0 done, 1 failed, 2 wrong usage, 130 or 143 interrupted (Ctrl-C, SIGTERM) after a checkpoint.
`;

/** Help and version are no errors; what commander calls an error is a wrong command line. */
function commanderExit(error: CommanderError): number {
  return error.exitCode === 0 ? EXIT.done : EXIT.usage;
}

function describeStack(error: Error): string {
  const cause = error.cause instanceof Error ? `\ncaused by ${describeStack(error.cause)}` : '';
  return (error.stack ?? error.message) + cause;
}
