// Starts one engine cold, in a process of its own, and takes its report.
import { fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { PeerError } from '../peer/peer.ts';
import type { ColdReport, ColdTask } from './child.ts';

/** In the order of their turns. */
export const COLD_ENGINES = ['thaw', 'tfjs-webgpu'] as const;
/** An engine that is started cold. */
export type ColdEngineName = (typeof COLD_ENGINES)[number];

/** Each is a program of its own. */
const PROGRAMS: Readonly<Record<ColdEngineName, URL>> = {
  thaw: new URL('./cold-thaw.worker.js', import.meta.url),
  'tfjs-webgpu': new URL('./cold-tfjs-webgpu.worker.js', import.meta.url),
};

/** Compiled shaders that drivers keep on disk would make the second start another than the first. */
const NO_SHADER_CACHES = { MESA_SHADER_CACHE_DISABLE: 'true', __GL_SHADER_DISK_CACHE: '0' };

/** @throws PeerError when the process ends without a report */
export function startCold(engine: ColdEngineName, task: ColdTask, shaderCaches: boolean): Promise<ColdReport> {
  const program = fileURLToPath(PROGRAMS[engine]);
  if (!existsSync(program)) throw new PeerError(`${program} is missing: build @thaw/bench first (npm run build).`);
  return new Promise((resolve, reject) => {
    const child = fork(program, [JSON.stringify(task)], {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      env: { ...process.env, ...(shaderCaches ? {} : NO_SHADER_CACHES) },
    });
    let report: ColdReport | undefined;
    child.on('message', (message: ColdReport) => {
      report = message;
    });
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      if (report) resolve(report);
      else reject(new PeerError(`${engine}: a cold start ended without a result (${signal ?? `exit code ${code}`}).`));
    });
  });
}
