// docs/cli.md, made from the options themselves: what --help says, as a page.
import type { Command } from 'commander';

/** The page of every command of a program. */
export function commandReference(program: Command): string {
  const pages = program.commands.filter((command) => command.name() !== 'help').map((command) => section(command, 2));
  return [
    '# The `thaw` command',
    '',
    '<!-- Made from the options by `npm run pnpm -- --filter @thaw/cli docs`; a test fails where it is out of date. -->',
    '',
    program.description(),
    '',
    'Values come from, in rising order: the defaults, the run that is resumed, `--preset`, the file of `--config`, the flags.',
    'Exit codes: 0 done, 1 failed, 2 wrong usage, 130 or 143 interrupted (Ctrl-C, SIGTERM) after a checkpoint.',
    '`THAW_HOME` names the folder with `weights/` and `datasets/`; without it, the cache folder of the platform.',
    '',
    ...pages,
  ].join('\n');
}

function section(command: Command, level: number): string {
  const help = command.createHelp();
  help.helpWidth = 1000;
  const title = `${'#'.repeat(level)} ${help
    .commandUsage(command)
    .split(' ')
    .slice(0, depth(command) + 1)
    .join(' ')}`;
  const nested = command.commands.filter((child) => child.name() !== 'help');
  if (nested.length > 0)
    return [title, '', sentence(command.description()), '', ...nested.map((child) => section(child, level + 1))].join(
      '\n',
    );
  const groups = new Map<string, string[]>();
  for (const option of help.visibleOptions(command)) {
    const group = option.helpGroupHeading ?? 'Help:';
    const rows = groups.get(group) ?? [];
    rows.push(`| \`${escape(help.optionTerm(option))}\` | ${escape(help.optionDescription(option))} |`);
    groups.set(group, rows);
  }
  return [
    title,
    '',
    command.description().replaceAll('\n', ' '),
    '',
    '```sh',
    help.commandUsage(command),
    '```',
    '',
    ...help.visibleArguments(command).flatMap((argument) => [`\`${argument.name()}\`: ${argument.description}.`, '']),
    ...[...groups].flatMap(([group, rows]) => [`| ${group.replace(/:$/, '')} | |`, '| --- | --- |', ...rows, '']),
  ].join('\n');
}

const depth = (command: Command): number => (command.parent ? 1 + depth(command.parent) : 0);
const escape = (text: string): string => text.replaceAll('|', '\\|');
const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
