// Runs TensorFlow.js's own specs on one backend, in Node or in a page, and tells what became of each.
import '@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import '@tensorflow/tfjs-backend-cpu';
import { backend as currentBackend } from '@tensorflow/tfjs-core';
import { setTestEnvs } from '@tensorflow/tfjs-core/dist/jasmine_util';
import type { Jasmine, Node } from 'jasmine-core';
import { specFiles } from 'virtual:spec-files';
import { register } from '../src/backend/register.ts';
import { ThawBackend } from '../src/backend/thaw-backend.ts';

export interface Spec {
  readonly suite: string;
  readonly name: string;
  readonly passed: boolean;
  readonly ms: number;
  readonly message?: string;
}

export interface SpecsResult {
  readonly backend: string;
  readonly adapter: string;
  readonly overallStatus: string;
  readonly incompleteReason?: string | undefined;
  readonly specs: readonly Spec[];
}

export interface SpecsOptions {
  readonly backend: string;
  /** What the thaw backend computes on, and its name. */
  readonly opened?: { readonly device: GPUDevice; readonly name: string } | undefined;
  /** Only specs with this text in their names run. */
  readonly wanted: string;
}

/** @param jasmine booted: its functions are globals */
export async function runSpecs(jasmine: Jasmine, { backend, opened, wanted }: SpecsOptions): Promise<SpecsResult> {
  const env = jasmine.getEnv();
  jasmine.DEFAULT_TIMEOUT_INTERVAL = 20_000;
  env.configure({ random: false, specFilter: (spec) => spec.getFullName().includes(wanted) });
  if (opened) {
    register(opened.device);
    // A spec that reads nothing fails, too, when its work on the device does. Suites reset the engine, which makes the
    // backend anew.
    env.afterEach(async () => {
      const thaw = currentBackend();
      if (thaw instanceof ThawBackend) await thaw.settle(0);
    });
  }
  // As the official WebGPU backend has it: reads are asynchronous, so specs for synchronous backends are left out by tfjs.
  setTestEnvs([{ name: backend, backendName: backend }]);

  const suiteOf = new Map<string, string>();
  function note(node: Node, suite: string): void {
    suiteOf.set(node.id, suite);
    for (const child of node.children ?? []) note(child, suite);
  }
  for (const [suite, load] of Object.entries(specFiles)) {
    const before = env.topSuite().children?.length;
    await load();
    for (const node of env.topSuite().children?.slice(before) ?? []) note(node, suite);
  }

  const specs: Spec[] = [];
  /** How often a name was seen: some specs of a suite share theirs. */
  const seen = new Map<string, number>();
  env.addReporter({
    specDone: ({ id, fullName, status, duration, failedExpectations }) => {
      if (status === 'excluded') return;
      // Without the backend's name, so that results of different backends compare.
      const shared = fullName.replaceAll(` ${backend} {}`, '').replaceAll(/ +/g, ' ').trim();
      const suite = suiteOf.get(id) ?? '';
      const count = (seen.get(`${suite}: ${shared}`) ?? 0) + 1;
      seen.set(`${suite}: ${shared}`, count);
      const name = count > 1 ? `${shared} (${count})` : shared;
      const message = failedExpectations.map((failure) => failure.message).join('\n');
      specs.push({ suite, name, passed: status === 'passed', ms: duration ?? 0, ...(message && { message }) });
    },
  });
  const { overallStatus, incompleteReason } = await env.execute();
  return { backend, adapter: opened?.name ?? 'none: on the host', overallStatus, incompleteReason, specs };
}
