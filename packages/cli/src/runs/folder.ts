// Run folders: runs/<date>-<data>-<preset>/, and the files in them, each written whole.
import { readFile, mkdir, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { writeAtomically } from '@thaw/model/node';
import { CommandError, explain, UsageError } from '../errors.ts';
import { runConfig, type RunConfig } from './config.ts';

/** "2026-11-24-153012-cifar10-article-1". */
export function runName(date: Date, data: string, preset: string): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day}-${two(date.getHours())}${two(date.getMinutes())}${two(date.getSeconds())}-${data}-${preset}`;
}

/** Makes a new folder under `parent`; a number is added where the name is taken. */
export async function makeRunFolder(parent: string, name: string): Promise<string> {
  await makeFolder(parent);
  for (let attempt = 1; attempt < 1000; attempt++) {
    const folder = join(parent, attempt === 1 ? name : `${name}-${attempt}`);
    const made = await mkdir(folder).then(
      () => true,
      (error: unknown) => {
        if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
        throw error;
      },
    );
    if (made) return folder;
  }
  throw new CommandError(`${join(parent, name)} and a thousand like it exist; name another with --output.`);
}

/** Makes the folder that the person named. @throws UsageError where a run lies in it already, or no folder can be made */
export async function claimRunFolder(folder: string): Promise<string> {
  await makeFolder(folder);
  if (await exists(join(folder, 'config.json'))) {
    throw new UsageError(
      `--output: ${folder} holds a run already; go on with it by --resume ${folder}, or name another folder.`,
    );
  }
  return folder;
}

/** Takes back a folder in which nothing was written. */
export async function dropIfEmpty(folder: string): Promise<void> {
  await rmdir(folder).catch(() => undefined);
}

/**
 * Makes a folder and those above it, one by one: Node's own `recursive` never returns where a folder that is there
 * answers "no such file", as /proc does (Node 20).
 */
async function makeFolder(folder: string): Promise<void> {
  const found = await stat(folder).catch(() => undefined);
  if (found?.isDirectory()) return;
  if (found) throw new UsageError(`${folder} is a file; a folder is needed here.`);
  const parent = dirname(folder);
  await makeFolder(parent);
  try {
    await mkdir(folder);
  } catch (error) {
    if (await isFolder(folder)) return;
    const reason = error instanceof Error && 'code' in error && error.code !== 'ENOENT' ? explain(error) : '';
    throw new CommandError(
      `${folder} cannot be made in ${parent}${reason ? `: ${reason}` : '.'} Name another folder with --output.`,
    );
  }
}

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );

/** Names of the files of a run. */
export const runFile = {
  config: (folder: string) => join(folder, 'config.json'),
  metrics: (folder: string) => join(folder, 'metrics.jsonl'),
  /** For TensorBoard, which looks for "tfevents" in a name. */
  events: (folder: string) => join(folder, 'events.out.tfevents.thaw'),
  summary: (folder: string) => join(folder, 'summary.json'),
  checkpoint: (folder: string, name: 'last' | 'best') => join(folder, `${name}.safetensors`),
  classifier: (folder: string) => join(folder, 'classifier.safetensors'),
  report: (folder: string) => join(folder, 'report.html'),
} as const;

/** Where a run's classifier lies. @param isHead whether it is one that was trained, or something else that was fitted */
export const classifierFile = (folder: string, checkpoint: 'last' | 'best', isHead: boolean): string =>
  isHead ? runFile.checkpoint(folder, checkpoint) : runFile.classifier(folder);

/** Writes JSON, readably, in one go. */
export function writeJson(path: string, value: unknown): Promise<void> {
  return writeText(path, `${JSON.stringify(value, null, 2)}\n`);
}

/** Writes one JSON object a line, in one go. */
export function writeJsonLines(path: string, rows: readonly unknown[]): Promise<void> {
  return writeText(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
}

export function writeText(path: string, text: string): Promise<void> {
  return writeAtomically(path, new TextEncoder().encode(text));
}

/** The configuration of a run. @throws CommandError where the folder holds none, or a damaged one */
export async function readRunConfig(folder: string): Promise<RunConfig> {
  const path = runFile.config(folder);
  const text = await readFile(path, 'utf8').catch(() => {
    throw new CommandError(
      `${folder} is not a run folder: it has no config.json. thaw train makes such folders, by default under runs/.`,
    );
  });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new CommandError(`${path} is damaged: it is not JSON.`);
  }
  const parsed = runConfig.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new CommandError(
    `${path} is not the configuration of a run: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}.`,
  );
}

/**
 * The configuration of a run that was trained epoch by epoch.
 * @throws CommandError for a classical classifier's run, which has neither curves nor layers to report
 */
export async function readTrainedRun(folder: string): Promise<RunConfig> {
  const config = await readRunConfig(folder);
  const { classifier } = config.settings;
  if (classifier === undefined) return config;
  throw new CommandError(
    `${folder}: ${classifier} on features has no curves and no layers to report. thaw evaluate prints its scores.`,
  );
}

export const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
