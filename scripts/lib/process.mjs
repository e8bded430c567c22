// Runs child processes so that they behave as if typed by hand: terminal, Ctrl-C and exit code pass through.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';

/** A step failed in a way that is already explained; its message is all a person needs. */
export class StepError extends Error {
  /** @param {string} message @param {number} [exitCode] */
  constructor(message, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

/**
 * Runs a program on this process's terminal and resolves to its exit code (128 + n when signal n ended it).
 * @param {string} file
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, shell?: boolean }} [options]
 * @returns {Promise<number>}
 */
export function run(file, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: 'inherit', ...options });
    // A terminal sends Ctrl-C to the whole group, so the child has it already: this process only has to outlive it.
    // A signal sent to this process alone (a supervisor's SIGTERM) is handed on.
    const outlive = () => undefined;
    /** @param {NodeJS.Signals} signal */
    const handOn = (signal) => child.kill(signal);
    process.on('SIGINT', process.stdin.isTTY ? outlive : handOn);
    process.on('SIGTERM', handOn);
    process.on('SIGHUP', handOn);
    /** @param {() => void} settle */
    const done = (settle) => {
      process.off('SIGINT', outlive).off('SIGINT', handOn).off('SIGTERM', handOn).off('SIGHUP', handOn);
      settle();
    };
    child.on('error', (error) => done(() => reject(error)));
    child.on('close', (code, signal) => done(() => resolve(signal ? 128 + constants.signals[signal] : (code ?? 1))));
  });
}

/**
 * Runs a program quietly and resolves to what it printed; never rejects on a non-zero exit.
 * @param {string} file
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, timeoutMs?: number }} [options]
 * @returns {Promise<{ code: number, stdout: string, stderr: string }>}
 */
export function capture(file, args, { timeoutMs, ...options } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: timeoutMs, ...options });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
    child.on('error', reject);
    child.on('close', (code, signal) =>
      resolve({ code: signal ? 128 + constants.signals[signal] : (code ?? 1), stdout, stderr }),
    );
  });
}

/**
 * This process's environment without what `npm run` adds about its own script: a child npm or pnpm would take
 * `npm_config_local_prefix` and its like for settings. NODE_ENV goes too, as "production" would skip the dev dependencies.
 * @returns {NodeJS.ProcessEnv}
 */
export function cleanEnvironment() {
  const noise =
    /^(npm_(lifecycle|package)_|npm_config_(local_prefix|global_prefix|prefix|noproxy|yes|user_agent)$|NODE_ENV$)/i;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !noise.test(name)));
}

/** Prints one line about what the runner itself does, on stderr so that a command's own output stays clean. @param {string} message */
export function say(message) {
  process.stderr.write(`thaw: ${message}\n`);
}
