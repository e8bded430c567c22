// Sees to it that the tests of @thaw/mpi find both launchers: installs them where this process may, or says how to.
import { aptInstall } from './apt-install.mjs';
import { say } from './process.mjs';
import { onPath, systemFacts } from './system.mjs';
import { installForbidden } from './vulkan.mjs';

/**
 * The launchers that packages/mpi/src/testing/job.ts starts, by the names that it has for them: their programs under Debian's
 * alternatives, and Debian's packages, which bring the libraries.
 */
const LAUNCHERS = {
  mpich: { program: 'mpiexec.mpich', package: 'mpich' },
  openmpi: { program: 'mpirun.openmpi', package: 'openmpi-bin' },
};

/**
 * How a system gets what it lacks. Pure.
 * @param {import('./vulkan-plan.mjs').SystemFacts} facts
 * @param {string[]} packages
 * @returns {{ kind: 'apt', args: string[] } | { kind: 'advice', text: string }}
 */
export function planMpi({ platform, os, isRoot, hasSudo }, packages) {
  if (platform !== 'linux') return { kind: 'advice', text: 'they run on Linux' };
  const args = ['install', '-y', '--no-install-recommends', ...packages];
  const families = os === null ? [] : [os.id, ...os.like];
  if (!families.some((name) => name === 'debian' || name === 'ubuntu'))
    return { kind: 'advice', text: `they need ${packages.join(' and ')} as Debian and Ubuntu have them` };
  // As with the Vulkan driver: of others, a person decides.
  if (isRoot && (os?.id === 'debian' || os?.id === 'ubuntu')) return { kind: 'apt', args };
  const command = `apt-get ${args.join(' ')}`;
  return { kind: 'advice', text: isRoot ? command : hasSudo ? `sudo ${command}` : `${command}    # as root` };
}

/** @returns {string[]} names of the launchers that are not on the PATH */
function missingLaunchers() {
  return Object.entries(LAUNCHERS).flatMap(([name, { program }]) => (onPath(program) ? [] : [name]));
}

/**
 * Makes sure of both launchers as far as this user and machine allow; prints what it does.
 * @returns {Promise<string[]>} names of those that are still missing
 */
export async function ensureMpi() {
  const missing = missingLaunchers();
  if (missing.length === 0) return [];
  const packages = Object.entries(LAUNCHERS).flatMap(([name, entry]) => (missing.includes(name) ? entry.package : []));
  const plan = planMpi(systemFacts(), packages);
  if (plan.kind === 'apt' && !installForbidden()) {
    say(
      `installing ${packages.join(' and ')} for the tests of MPI, as root, with apt-get (THAW_NO_INSTALL=1 forbids this)`,
    );
    await aptInstall(plan.args);
    const still = missingLaunchers();
    if (still.length > 0) say(`${still.join(' and ')}: not installed (see above); the tests that need it are skipped.`);
    return still;
  }
  const why = plan.kind === 'apt' ? 'THAW_NO_INSTALL is set, so nothing is installed' : plan.text;
  say(`${packages.join(' and ')}: not installed; the tests of MPI that need it are skipped (${why}).`);
  return missing;
}
