// What every command is: a name, its options, its help, and what it does with checked settings.
import type { Command } from 'commander';
import type { z } from 'zod';
import type { Io } from '../io.ts';
import { addOptions, typedFlags, type OptionUse } from '../options/command.ts';
import { resolveSettings, type Layer } from '../options/resolve.ts';
import type { SomeSettings } from '../options/settings.ts';
import { Output } from '../output.ts';
import { optionFacts } from '../ranks/facts.ts';
import { ALONE, type Ranks, type RankUse } from '../ranks/ranks.ts';
import { THAW_VERSION } from '../versions.ts';

/** What a command is given to work with. */
export interface Context {
  readonly io: Io;
  readonly output: Output;
  /** What was typed, values unchecked. */
  readonly typed: Layer;
  /** This process among those that share the command's work. */
  readonly ranks: Ranks;
}

export interface CommandSpec<Shape extends z.ZodRawShape> {
  readonly name: string;
  readonly summary: string;
  /** One or two sentences above the options. */
  readonly description: string;
  /** "<files...>" and what it is. */
  readonly argument?: { readonly name: string; readonly description: string };
  readonly options: readonly OptionUse[];
  readonly examples: readonly (readonly [command: string, what: string])[];
  /** Of the settings this command takes. */
  readonly schema: z.ZodObject<Shape>;
  readonly defaults: SomeSettings;
  /** What it does where a launcher of MPI started it on several ranks; default: it refuses. */
  readonly ranks?: RankUse;
  /** Settings from elsewhere, between the defaults and what was typed: those of a run that is resumed. */
  base?(flags: Layer, io: Io, ranks: Ranks): Promise<SomeSettings>;
  run(settings: z.infer<z.ZodObject<Shape>>, context: Context, args: readonly string[]): Promise<void>;
}

/** A command whose settings' type is its own business. */
export interface AnyCommand {
  readonly name: string;
  /** @param isDefault whether it is meant where none of its group is named */
  addTo(program: Command, io: Io, isDefault?: boolean): Command;
}

/** A command that another one can run. */
export interface DefinedCommand<Shape extends z.ZodRawShape> extends AnyCommand {
  readonly spec: CommandSpec<Shape>;
  /** @throws UsageError where these flags will not do */
  check(flags: Layer, io: Io): Promise<void>;
  /** Runs it as if these flags had been typed. */
  execute(flags: Layer, io: Io, args?: readonly string[], ranks?: Ranks): Promise<void>;
}

/** Ties a command's parts together. */
export function defineCommand<Shape extends z.ZodRawShape>(spec: CommandSpec<Shape>): DefinedCommand<Shape> {
  const settle = async (flags: Layer, io: Io, ranks = ALONE): Promise<z.infer<z.ZodObject<Shape>>> =>
    resolveSettings(spec.schema, { defaults: spec.defaults, base: await spec.base?.(flags, io, ranks), flags });
  const execute = async (flags: Layer, io: Io, args: readonly string[] = [], ranks = ALONE): Promise<void> => {
    const output = new Output(io, { json: flags['json'] === true, quiet: flags['quiet'] === true });
    // What was typed first: it decides what is settled together.
    await ranks.agree({ Thaw: THAW_VERSION, 'the command': spec.name, ...optionFacts(flags), images: args.join(' ') });
    const settings = await ranks.together(() => settle(flags, io, ranks));
    await ranks.agree(optionFacts(settings));
    await spec.run(settings, { io, output, typed: flags, ranks }, args);
  };
  return {
    name: spec.name,
    spec,
    async check(flags, io) {
      await settle(flags, io);
    },
    execute,
    addTo(program, io, isDefault = false) {
      const command = program
        .command(spec.name, { isDefault })
        .summary(spec.summary)
        .description(spec.description.replaceAll('\n', ' '));
      if (spec.argument) command.argument(spec.argument.name, spec.argument.description);
      addOptions(command, spec.options);
      command.addHelpText(
        'after',
        `\nExamples:\n${spec.examples.map(([line, what]) => `  ${line}\n      ${what}`).join('\n')}\n`,
      );
      command.action(async (...given: unknown[]) => {
        const [argument] = spec.argument ? given : [];
        const args = [argument].flat().filter((value): value is string => typeof value === 'string');
        const run = (ranks: Ranks): Promise<void> => execute(typedFlags(command), io, args, ranks);
        await (io.job ? io.job.run(spec.name, spec.ranks ?? 'refuse', run) : run(ALONE));
      });
      return command;
    },
  };
}

/** A command of commands, such as thaw bench step. Without one of them it is the first. */
export function defineGroup(name: string, summary: string, commands: readonly AnyCommand[]): AnyCommand {
  return {
    name,
    addTo(program, io) {
      const group = program.command(name).summary(summary).description(summary);
      for (const [i, command] of commands.entries()) command.addTo(group, io, i === 0).copyInheritedSettings(program);
      return group;
    },
  };
}
