// Installs a Vulkan driver that Dawn accepts, as root on Debian or Ubuntu; elsewhere prints the command to run.
//   node scripts/setup-vulkan.mjs [--dry-run]
// It says what it will do before it does it. THAW_NO_INSTALL=1 makes it only say so.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { backportsSource, hasSuite, mirrorOf } from './lib/apt-sources.mjs';
import { aptInstall } from './lib/apt-install.mjs';
import { say } from './lib/process.mjs';
import { systemFacts } from './lib/system.mjs';
import { describePlan, installForbidden } from './lib/vulkan.mjs';
import { aptInstallArguments, planVulkan } from './lib/vulkan-plan.mjs';

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

const facts = systemFacts();
const plan = planVulkan(facts);
if (plan.kind !== 'apt') {
  for (const line of describePlan(plan, false)) say(line);
  process.exitCode = plan.kind === 'builtin' ? 0 : 1;
} else {
  process.exitCode = await install(plan, facts.os?.codename ?? '', process.argv.includes('--dry-run'));
}

/**
 * Carries an apt plan out; resolves to the exit code.
 * @param {{ packages: string[], backports: string | null }} plan
 * @param {string} codename
 * @param {boolean} dryRun
 */
async function install({ packages, backports }, codename, dryRun) {
  const sources = aptSources();
  const newSource =
    backports !== null && !hasSuite(sources, backports)
      ? backportsSource({
          mirror: mirrorOf(sources, codename),
          suite: backports,
          keyring: existsSync(KEYRING) ? KEYRING : null,
        })
      : null;

  say(`installing a Vulkan driver (Mesa) for WebGPU, as root, with apt-get:`);
  if (newSource) say(`  add the package source ${backports} in ${newSource.path}`);
  say(
    `  install ${packages.join(' and ')}${backports ? ` from ${backports}, as the release's own Mesa is too old` : ''}`,
  );
  say(`  (THAW_NO_INSTALL=1 forbids this)`);
  if (dryRun || installForbidden()) {
    say('nothing was done.');
    return dryRun ? 0 : 1;
  }

  if (newSource) writeFileSync(newSource.path, newSource.text);
  return aptInstall(aptInstallArguments(packages, backports));
}

/** Apt's source files with their text. */
function aptSources() {
  const folder = '/etc/apt/sources.list.d';
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => /\.(list|sources)$/.test(name)) : [];
  return ['/etc/apt/sources.list', ...names.map((name) => join(folder, name))]
    .filter((path) => existsSync(path))
    .map((path) => ({ path, text: readFileSync(path, 'utf8') }));
}
