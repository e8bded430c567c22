// A program of this package in a process of its own, which may be killed.
import { spawn } from 'node:child_process';

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly milliseconds: number;
}

export interface ChildOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Sent after so many milliseconds, or when the output has this text. */
  readonly signal?: { readonly name: NodeJS.Signals; readonly after: number | string };
}

/** Runs a bundled program to its end. @param program its URL */
export function runChild(
  program: URL,
  args: readonly string[],
  { cwd, env, signal }: ChildOptions = {},
): Promise<Ended> {
  const start = performance.now();
  const child = spawn(process.execPath, [program.pathname, ...args], { cwd, env: { ...process.env, ...env } });
  let [stdout, stderr] = ['', ''];
  let sent = false;
  const send = (): void => {
    // A second one would end the command at once.
    if (signal && !sent) child.kill(signal.name);
    sent = true;
  };
  const timer = typeof signal?.after === 'number' ? setTimeout(send, signal.after) : undefined;
  const look = (): void => {
    if (typeof signal?.after === 'string' && (stdout + stderr).includes(signal.after)) send();
  };
  child.stdout.setEncoding('utf8').on('data', (text: string) => ((stdout += text), look()));
  child.stderr.setEncoding('utf8').on('data', (text: string) => ((stderr += text), look()));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, by) => {
      clearTimeout(timer);
      resolve({ code, signal: by, stdout, stderr, milliseconds: performance.now() - start });
    });
  });
}
