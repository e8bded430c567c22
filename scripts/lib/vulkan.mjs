// Sees to it that Dawn finds an adapter: asks it, and where it finds none, installs a driver or says how to.
import { capture, run, say } from './process.mjs';
import { inRoot } from './paths.mjs';
import { systemFacts } from './system.mjs';
import { planVulkan } from './vulkan-plan.mjs';

/**
 * Asks Dawn, in a child process, for an adapter.
 * @returns {Promise<{ adapter: { vendor: string, architecture: string, description: string } | null, problem: string | null }>}
 */
export async function probeAdapter() {
  const { code, stdout, stderr } = await capture(process.execPath, [inRoot('scripts', 'probe-adapter.mjs')], {
    timeoutMs: 60_000,
  });
  const line = stdout.split('\n').find((text) => text.startsWith('{"adapter":'));
  if (line !== undefined) return { adapter: JSON.parse(line).adapter, problem: null };
  const lastWords = stderr
    .trim()
    .split('\n')
    .filter((text) => /error|cannot|not found|no such/i.test(text))[0];
  return { adapter: null, problem: lastWords ?? `the probe exited with code ${code}` };
}

/**
 * Makes sure of an adapter as far as this user and machine allow; prints what it does.
 * @returns {Promise<boolean>} whether Dawn finds an adapter now
 */
export async function ensureAdapter() {
  const first = await probeAdapter();
  if (first.adapter) return true;
  say(`WebGPU (Dawn) finds no adapter on this machine${first.problem ? ` (${first.problem})` : ''}.`);

  const facts = systemFacts();
  const plan = planVulkan(facts);
  if (plan.kind === 'apt' && !installForbidden()) {
    const code = await run(process.execPath, [inRoot('scripts', 'setup-vulkan.mjs')]);
    if (code !== 0) return goOn('the driver was not installed (see above)');
    const second = await probeAdapter();
    if (second.adapter) {
      say(`WebGPU adapter: ${second.adapter.description || second.adapter.vendor}`);
      return true;
    }
    return goOn('the driver is installed, and Dawn still finds no adapter');
  }
  for (const line of describePlan(plan, installForbidden())) say(line);
  return goOn('no driver was installed');
}

/** THAW_NO_INSTALL=1 forbids installing system packages. */
export function installForbidden(env = process.env) {
  return !['', '0', 'false', 'no'].includes((env.THAW_NO_INSTALL ?? '').toLowerCase());
}

/**
 * What to tell a person whose machine this process will not change.
 * @param {import('./vulkan-plan.mjs').VulkanPlan} plan
 * @param {boolean} forbidden
 * @returns {string[]}
 */
export function describePlan(plan, forbidden) {
  switch (plan.kind) {
    case 'builtin':
      return [`${plan.reason}; nothing can be installed for it. \`npm run thaw -- doctor\` says more.`];
    case 'apt':
      return [
        ...(forbidden ? ['THAW_NO_INSTALL is set, so nothing is installed.'] : []),
        `To install the driver: node scripts/setup-vulkan.mjs   (${plan.packages.join(', ')}${plan.backports ? ` from ${plan.backports}` : ''})`,
      ];
    case 'advice':
      return [
        plan.reason + (plan.commands.length > 0 ? '. Run:' : '.'),
        ...plan.commands.map((command) => `    ${command}`),
      ];
    default:
      throw new Error(`unknown plan ${JSON.stringify(plan)}`);
  }
}

/** @param {string} reason */
function goOn(reason) {
  say(`${reason}; going on without WebGPU: a frozen trunk runs on WebAssembly, thawing layers needs WebGPU.`);
  return false;
}
