// Sees to it that there is a Chromium or Chrome for the tests and benchmarks that drive one.
import { pathToFileURL } from 'node:url';
import { aptInstall } from './apt-install.mjs';
import { inRoot } from './paths.mjs';
import { say, StepError } from './process.mjs';
import { systemFacts } from './system.mjs';
import { installForbidden } from './vulkan.mjs';

/**
 * How a system without a browser gets one: by apt now, or by what a person must do. Pure.
 * @param {import('./vulkan-plan.mjs').SystemFacts} facts
 * @returns {{ kind: 'apt' } | { kind: 'advice', text: string }}
 */
export function planChromium({ platform, os, isRoot, hasSudo }) {
  if (platform === 'darwin') return { kind: 'advice', text: 'brew install --cask google-chrome' };
  if (platform === 'win32') return { kind: 'advice', text: 'winget install Google.Chrome' };
  const command = 'apt-get install -y --no-install-recommends chromium';
  if (os?.id === 'debian')
    return isRoot ? { kind: 'apt' } : { kind: 'advice', text: hasSudo ? `sudo ${command}` : `${command}    # as root` };
  // Ubuntu's package chromium is a snap, which sees neither /tmp nor hidden folders.
  if (os?.id === 'ubuntu' || os?.like.includes('ubuntu'))
    return { kind: 'advice', text: "install Google Chrome's .deb from google.com/chrome" };
  return { kind: 'advice', text: 'install Chromium or Google Chrome with your package manager' };
}

/** What drives browsers, out of the built @thaw/bench. @returns {Promise<typeof import('../../packages/bench/src/browser.ts')>} */
export const loadDriver = () => import(pathToFileURL(inRoot('packages', 'bench', 'dist', 'browser.js')).href);

/** Finds a browser, or installs one where this process may. The packages must be built. @throws {StepError} with the remedy */
export async function ensureChromium() {
  const { findBrowser } = await loadDriver();
  try {
    return findBrowser();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (process.env.CHROME_PATH) throw new StepError(message);
    const plan = planChromium(systemFacts());
    if (plan.kind === 'advice') throw new StepError(`${message}\n    ${plan.text}`);
    if (installForbidden()) throw new StepError(`${message} THAW_NO_INSTALL is set, so nothing was installed.`);
  }
  say('installing Chromium, as root, with apt-get (THAW_NO_INSTALL=1 forbids this)');
  if ((await aptInstall(['install', '-y', '--no-install-recommends', 'chromium'])) !== 0)
    throw new StepError('Chromium was not installed (see above); CHROME_PATH may name a browser that is there.');
  return findBrowser();
}
