// Drives a headless Chromium: opens one page, collects what goes wrong in it, and closes everything whatever happens.
import type { Page } from 'playwright-core';
import { findBrowser } from './find.ts';
import { graphicsFlags, type Graphics } from './graphics.ts';

/** The browser did not start, or the page broke; the message says what it said. */
export class BrowserError extends Error {
  /** Always this class's name. */
  override readonly name = 'BrowserError';
}

// No page of these looks for anything outside this machine; without these flags the browser itself does.
const QUIET = ['--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync']; // prettier-ignore

/** How a page is driven. */
export interface DriveOptions {
  /** What Chromium is started with. */
  readonly graphics: Graphics;
  /** Called with each message of the page's console. */
  readonly onConsole?: (text: string) => void;
}

/** How a headless Chromium is started for WebGPU and WebGL. @throws NoBrowserError */
export function launchOptions(graphics: Graphics): { executablePath: string; args: string[]; chromiumSandbox: false } {
  // Without its sandbox, which root may not have and of which containers lack the parts: it shows pages of this program only.
  return { executablePath: findBrowser(), args: [...QUIET, ...graphicsFlags(graphics)], chromiumSandbox: false };
}

/**
 * Opens the page and calls `use`.
 * @throws NoBrowserError, BrowserError when the browser does not start, an error reaches the page's window, or it crashes
 */
export async function withPage<T>(
  address: string,
  { graphics, onConsole }: DriveOptions,
  use: (page: Page, version: string) => Promise<T>,
): Promise<T> {
  const options = launchOptions(graphics);
  // Loaded here, as every thaw command loads this file.
  const { chromium } = await import('playwright-core');
  const browser = await chromium.launch({ headless: true, ...options }).catch((error: unknown) => {
    const [first = ''] = String(error instanceof Error ? error.message : error).split('\n');
    throw new BrowserError(
      `${options.executablePath} did not start: ${first} Name another browser in CHROME_PATH, or see whether it starts by hand.`,
    );
  });
  try {
    const page = await browser.newPage();
    page.on('console', (message) => onConsole?.(`${message.type()}: ${message.text()}`));
    const broken = new Promise<never>((_, reject) => {
      const fail = (what: string): void => reject(new BrowserError(what));
      page.on('pageerror', (error) => fail(`the page failed: ${error.stack ?? error.message}`));
      page.on('crash', () => fail("the browser's page crashed, as it does where memory runs out"));
      browser.on('disconnected', () => fail('the browser has ended'));
    });
    const used = page.goto(address).then(() => use(page, browser.version()));
    // The other of the two may fail later, when nobody listens any more.
    used.catch(() => undefined);
    broken.catch(() => undefined);
    return await Promise.race([used, broken]);
  } finally {
    await browser.close();
  }
}
