// Facts about the machine that the plans in vulkan-plan.mjs need, and a runtime folder for Vulkan drivers.
import { accessSync, constants, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { parseOsRelease } from './vulkan-plan.mjs';

/** @returns {import('./vulkan-plan.mjs').SystemFacts} */
export function systemFacts() {
  return { platform: process.platform, os: readOsRelease(), isRoot: process.getuid?.() === 0, hasSudo: onPath('sudo') };
}

function readOsRelease() {
  for (const path of ['/etc/os-release', '/usr/lib/os-release']) {
    try {
      return parseOsRelease(readFileSync(path, 'utf8'));
    } catch {
      // Try the next place; null below says that there is none.
    }
  }
  return null;
}

/** @param {string} program */
export function onPath(program) {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Sets XDG_RUNTIME_DIR to a private temporary folder where it is unset: lavapipe under Dawn wants one on Linux. */
export function ensureRuntimeDir() {
  if (process.platform !== 'linux' || process.env.XDG_RUNTIME_DIR) return;
  const folder = mkdtempSync(join(tmpdir(), 'thaw-runtime-'));
  process.env.XDG_RUNTIME_DIR = folder;
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
}
