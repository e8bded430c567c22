// Brings pnpm in the version that package.json pins, and installs the workspace's dependencies with it when they changed.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { inRoot, PACKAGES, TOOLS } from './paths.mjs';
import { cleanEnvironment, run, say, StepError } from './process.mjs';

const PNPM_HOME = join(TOOLS, 'node_modules', 'pnpm');
const STAMP = join(TOOLS, 'installed.txt');
const NETWORK_HELP =
  'Is the npm registry reachable from here? `npm ping` tells; behind a proxy, set HTTPS_PROXY or `npm config set proxy`;' +
  ' behind a mirror, `npm config set registry <url>`.';

/** Arguments for Node that run the pinned pnpm. @param {string[]} args */
export function pnpmCommand(args) {
  return [join(PNPM_HOME, 'bin', 'pnpm.mjs'), ...args];
}

/** Puts the pinned pnpm into .tools/ through npm, unless it is there. */
export async function ensurePnpm() {
  const wanted = pinnedPnpm();
  if (installedVersion() === wanted) return;
  say(`bringing pnpm ${wanted} into .tools/`);
  mkdirSync(TOOLS, { recursive: true });
  // Its own package.json, so that npm does not take the workspace for the project to install into.
  writeFileSync(join(TOOLS, 'package.json'), `${JSON.stringify({ private: true, description: "Thaw's own pnpm" })}\n`);
  rmSync(join(TOOLS, 'package-lock.json'), { force: true });
  // pnpm's install script links its native binary, and the binary is an optional dependency: both whatever ~/.npmrc says.
  const settings = [
    '--ignore-scripts=false',
    '--include=optional',
    '--no-audit',
    '--no-fund',
    '--no-save',
    '--no-package-lock',
  ];
  const code = await npm(['install', '--prefix', TOOLS, '--loglevel=error', ...settings, `pnpm@${wanted}`]);
  if (code !== 0) throw new StepError(`npm could not install pnpm ${wanted} (code ${code}). ${NETWORK_HELP}`);
  if (installedVersion() !== wanted)
    throw new StepError(`npm reported success, but pnpm ${wanted} is not in ${PNPM_HOME}`);
}

/** Installs the workspace's dependencies as locked, unless nothing changed since the last install. */
export async function ensureInstalled() {
  const fingerprint = dependencyFingerprint();
  if (isInstalled() && readText(STAMP) === fingerprint) return;
  await ensurePnpm();
  say('installing dependencies as locked in pnpm-lock.yaml');
  rmSync(STAMP, { force: true });
  // Without --config.confirm-modules-purge=false pnpm asks before it replaces a node_modules of another layout.
  const args = ['install', '--frozen-lockfile', '--config.confirm-modules-purge=false'];
  const code = await run(process.execPath, pnpmCommand(args), { cwd: inRoot(), env: cleanEnvironment() });
  if (code !== 0) {
    throw new StepError(
      `pnpm install failed (code ${code}; its message is above). ERR_PNPM_OUTDATED_LOCKFILE means that a package.json ` +
        `changed: run \`npm run pnpm -- install\`. Otherwise: ${NETWORK_HELP}`,
    );
  }
  writeFileSync(STAMP, fingerprint);
}

/** The version that package.json's "packageManager" pins. */
export function pinnedPnpm() {
  const { packageManager } = JSON.parse(readFileSync(inRoot('package.json'), 'utf8'));
  const version = /^pnpm@([^+]+)/.exec(packageManager ?? '')?.[1];
  if (version === undefined) throw new StepError('package.json has no "packageManager": "pnpm@<version>"');
  return version;
}

function installedVersion() {
  const manifest = readText(join(PNPM_HOME, 'package.json'));
  return manifest === null ? null : JSON.parse(manifest).version;
}

function isInstalled() {
  return ['.', ...PACKAGES.map((name) => join('packages', name))]
    .filter((folder) => existsSync(inRoot(folder, 'package.json')))
    .every((folder) => existsSync(inRoot(folder, 'node_modules')));
}

/** A hash of all that decides what pnpm installs. */
function dependencyFingerprint() {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch} ${process.versions.modules}`);
  const manifests = readdirSync(inRoot('packages'))
    .sort()
    .map((name) => join('packages', name, 'package.json'));
  for (const file of ['package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml', '.npmrc', ...manifests]) {
    hash.update(`\0${file}\0${readText(inRoot(file)) ?? ''}`);
  }
  return hash.digest('hex');
}

/** Runs npm: the one that started this script, else the one on the PATH. @param {string[]} args */
function npm(args) {
  const env = cleanEnvironment();
  const own = process.env.npm_execpath;
  if (own !== undefined && basename(own) === 'npm-cli.js') return run(process.execPath, [own, ...args], { env });
  return run('npm', args, { env, shell: process.platform === 'win32' });
}

/** @param {string} path */
function readText(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
