// Runs apt-get install, as root on Debian and its like.
import { run, say } from './process.mjs';

/**
 * Updates apt's lists and installs; says what to look at where it fails.
 * @param {string[]} args apt-get's arguments from "install" on
 * @returns {Promise<number>} exit code
 */
export async function aptInstall(args) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const options = ['-q', '-o', 'Dpkg::Use-Pty=0', '-o', 'DPkg::Lock::Timeout=120', '-o', 'Acquire::Retries=3'];
  // An unrelated source that cannot be reached fails the update; the install below decides whether that matters.
  const updated = await run('apt-get', [...options, 'update'], { env });
  const installed = await run('apt-get', [...options, ...args], { env });
  if (installed === 0) return 0;
  say(
    `apt-get install failed with code ${installed}${updated === 0 ? '' : `, after apt-get update failed with code ${updated}`}.`,
  );
  say('Check that the package mirror can be reached (network, proxy, /etc/apt/sources.list.d), then run this again.');
  return 1;
}
