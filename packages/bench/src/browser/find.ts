// Finds the browser that is driven: CHROME_PATH, or Chromium, Chrome or Edge where they are installed.
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** There is no browser to drive; the message has the remedy. */
export class NoBrowserError extends Error {
  /** Always this class's name. */
  override readonly name = 'NoBrowserError';
}

const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome', 'microsoft-edge-stable'];

const PLACES: Readonly<Record<string, readonly string[]>> = {
  darwin: [
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    '/Applications/Chromium.app/Contents/MacOS/Chromium',
    '/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge',
  ],
  win32: ['PROGRAMFILES', 'PROGRAMFILES(X86)', 'LOCALAPPDATA'].flatMap((name) => {
    const folder = process.env[name];
    return folder === undefined
      ? []
      : [join(folder, 'Google/Chrome/Application/chrome.exe'), join(folder, 'Microsoft/Edge/Application/msedge.exe')];
  }),
};

const REMEDIES: Readonly<Record<string, string>> = {
  linux: 'install one (Debian: apt-get install chromium; elsewhere Google Chrome)',
  darwin: 'install Google Chrome (brew install --cask google-chrome)',
  win32: 'install Google Chrome (winget install Google.Chrome)',
};

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** The browser's program. @throws NoBrowserError */
export function findBrowser(
  env: Readonly<Record<string, string | undefined>> = process.env,
  platform: string = process.platform,
): string {
  const given = env['CHROME_PATH'];
  if (given) {
    if (isProgram(given)) return given;
    throw new NoBrowserError(
      `CHROME_PATH is ${given}, which is no program: give the path of Chromium's or Chrome's program, or unset it.`,
    );
  }
  const onPath = (env['PATH'] ?? '').split(delimiter).flatMap((folder) => NAMES.map((name) => join(folder, name)));
  // In the order of the names, not of the folders.
  const byName = NAMES.flatMap((name) => onPath.filter((path) => path.endsWith(name)));
  const found = [...byName, ...(PLACES[platform] ?? [])].find(isProgram);
  if (found !== undefined) return found;
  const remedy = REMEDIES[platform] ?? 'install Chromium or Google Chrome';
  throw new NoBrowserError(`No Chromium or Chrome was found: ${remedy}, or name its program in CHROME_PATH.`);
}
