// The runner's own pieces: the counts line, what it runs, and that exit codes and output pass through.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { inRoot } from '../scripts/lib/paths.mjs';
import { cleanEnvironment } from '../scripts/lib/process.mjs';
import { countsLine, countTests } from '../scripts/lib/test-counts.mjs';

describe('the last line of a test run', () => {
  test('names skipped tests only where there are some', () => {
    expect(countsLine({ passed: 12, failed: 0, skipped: 0 })).toBe('12 passed, 0 failed');
    expect(countsLine({ passed: 12, failed: 1, skipped: 3 })).toBe('12 passed, 1 failed, 3 skipped');
  });

  test('counts a cut-off test, and every error outside a test, as failures', () => {
    const states = ['passed', 'passed', 'failed', 'skipped', 'pending'] as const;
    expect(
      countTests(
        states.map((state) => ({ state })),
        2,
      ),
    ).toEqual({ passed: 2, failed: 4, skipped: 1 });
  });
});

describe('a child of the runner', () => {
  const processModule = pathToFileURL(inRoot('scripts', 'lib', 'process.mjs')).href;
  /** Runs a program through run() in a Node of its own, as a root script would. */
  async function through(
    program: string,
    signalAfterOutput?: NodeJS.Signals,
  ): Promise<{ code: unknown; stdout: string }> {
    const runner = `import { run } from ${JSON.stringify(processModule)};
      process.exitCode = await run(process.execPath, ['-e', ${JSON.stringify(program)}]);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', runner], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    // Once: a second one may meet the runner when its child is gone and it takes signals no more.
    if (signalAfterOutput !== undefined) child.stdout.once('data', () => child.kill(signalAfterOutput));
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, stdout };
  }

  test('hands its exit code and output on', async () => {
    expect(await through("console.log('out'); process.exit(3)")).toEqual({ code: 3, stdout: 'out\n' });
  });

  test.skipIf(process.platform === 'win32')(
    'gets the signals sent to the runner, and decides what they mean',
    async () => {
      const graceful =
        "process.on('SIGINT', () => { console.log('saved'); process.exit(130) }); setInterval(() => {}, 1000); console.log('up')";
      expect(await through(graceful, 'SIGINT')).toEqual({ code: 130, stdout: 'up\nsaved\n' });
      expect(await through("setInterval(() => {}, 1000); console.log('up')", 'SIGTERM')).toEqual({
        code: 143,
        stdout: 'up\n',
      });
    },
  );
});

test("npm's notes about its own script are kept from child package managers", () => {
  process.env.npm_config_local_prefix = '/somewhere';
  process.env.npm_lifecycle_event = 'start';
  process.env.npm_config_registry = 'https://registry.example';
  const env = cleanEnvironment();
  expect(Object.keys(env)).not.toContain('npm_config_local_prefix');
  expect(Object.keys(env)).not.toContain('npm_lifecycle_event');
  expect(env.npm_config_registry).toBe('https://registry.example');
});

test('in a fresh clone, where nothing is installed, the runner starts', () => {
  const clone = mkdtempSync(join(tmpdir(), 'thaw-clone-'));
  try {
    for (const file of ['scripts', 'package.json', 'pnpm-workspace.yaml'])
      cpSync(inRoot(file), join(clone, file), { recursive: true });
    const { status, stderr, stdout } = spawnSync(process.execPath, ['scripts/run.mjs', 'nothing'], { cwd: clone, encoding: 'utf8' }); // prettier-ignore
    expect(stdout + stderr).toContain('unknown command "nothing"');
    expect(status).toBe(2);
  } finally {
    rmSync(clone, { recursive: true, force: true });
  }
});
