// A project outside the workspace: the packages as they would be published, packed, and installed by npm from the tarballs.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { inRoot, PACKAGES } from '../../scripts/lib/paths.mjs';
import { ensurePnpm, pnpmCommand } from '../../scripts/lib/pnpm.mjs';
import { cleanEnvironment } from '../../scripts/lib/process.mjs';

/** A command's output, and how it ended. */
export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Project {
  readonly folder: string;
  /** Of each package by its short name. */
  readonly tarballs: ReadonlyMap<string, string>;
  /** Why nothing could be installed; undefined where it was. */
  readonly unreachable: string | undefined;
  remove(): Promise<void>;
}

/** What npm prints where it reaches no registry. */
const NO_REGISTRY = /ENOTFOUND|ECONNREFUSED|ECONNRESET|EAI_AGAIN|ETIMEDOUT|ENETUNREACH|ENOTCACHED|ERR_SOCKET_TIMEOUT/;

/** Builds, packs and installs. @throws where any of it fails for another reason than the network */
export async function installedProject(): Promise<Project> {
  await succeed(process.execPath, [inRoot('scripts', 'run.mjs'), 'build'], inRoot());
  const home = await mkdtemp(join(tmpdir(), 'thaw-consumer-'));
  const tarballs = await pack(join(home, 'tarballs'));
  const folder = join(home, 'project');
  await mkdir(folder);
  await writeFile(join(folder, 'package.json'), JSON.stringify(manifest(tarballs), null, 2));
  const { code, stdout, stderr } = await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund'], folder);
  const isUnreachable = code !== 0 && NO_REGISTRY.test(stderr);
  if (code !== 0 && !isUnreachable) throw new Error(`npm install failed (code ${code}):\n${stdout}\n${stderr}`);
  const unreachable = isUnreachable ? `npm reaches no registry: ${stderr.split('\n')[0] ?? ''}` : undefined;
  return { folder, tarballs, unreachable, remove: () => rm(home, { recursive: true, force: true }) };
}

async function pack(destination: string): Promise<Map<string, string>> {
  await ensurePnpm();
  const tarballs = new Map<string, string>();
  for (const name of PACKAGES) {
    const into = join(destination, name);
    await succeed(process.execPath, pnpmCommand(['pack', '--pack-destination', into]), inRoot('packages', name));
    const [file] = await readdir(into);
    if (file === undefined) throw new Error(`pnpm pack made no tarball of ${name}`);
    tarballs.set(name, join(into, file));
  }
  return tarballs;
}

/** As npm writes it after `npm install @tensorflow/tfjs-core ./thaw-kernels-0.1.0.tgz ...`. */
function manifest(tarballs: ReadonlyMap<string, string>): object {
  const { version } = JSON.parse(
    readFileSync(inRoot('packages', 'kernels', 'node_modules', '@tensorflow', 'tfjs-core', 'package.json'), 'utf8'),
  ) as { version: string };
  const packages = [...tarballs].map(([name, path]): [string, string] => [`@thaw/${name}`, `file:${path}`]);
  return {
    private: true,
    type: 'module',
    dependencies: { '@tensorflow/tfjs-core': version, ...Object.fromEntries<string>(packages) },
  };
}

/** Runs a command to its end, without what npm or vitest put into the environment. */
export async function run(file: string, args: string[], cwd: string, env: NodeJS.ProcessEnv = {}): Promise<Finished> {
  const clean = { ...cleanEnvironment(), NODE_OPTIONS: '', VITEST: '', ...env };
  try {
    const options = { cwd, env: clean, maxBuffer: 2 ** 26, shell: process.platform === 'win32' && file === 'npm' };
    const { stdout, stderr } = await promisify(execFile)(file, args, options);
    return { code: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout = '', stderr = '' } = error as { code?: unknown; stdout?: string; stderr?: string };
    if (typeof code !== 'number') throw error;
    return { code, stdout, stderr };
  }
}

/** Runs a command that must end with code 0. @returns its standard output */
export async function succeed(file: string, args: string[], cwd: string, env?: NodeJS.ProcessEnv): Promise<string> {
  const { code, stdout, stderr } = await run(file, args, cwd, env);
  if (code !== 0) throw new Error(`${basename(file)} ${args.join(' ')} ended with code ${code}:\n${stdout}\n${stderr}`);
  return stdout;
}

/** The code in a package's README that is marked as `language`, block by block. */
export function readmeCode(name: string, language: string): string[] {
  const text = readFileSync(inRoot('packages', name, 'README.md'), 'utf8');
  return [...text.matchAll(/^```(\w+)\n(.*?)^```/gms)].filter(([, marked]) => marked === language).map(([, , code = '']) => code); // prettier-ignore
}
