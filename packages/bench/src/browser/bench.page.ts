// The benchmark's page: Thaw, tfjs-webgpu and tfjs-webgl in turns on the same cases. Bundled with all it needs; served by
// ../bench-browser.ts, to which it posts what it finds.
import '@tensorflow/tfjs-backend-webgl';
import { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { DeviceLostError, describeAdapter, register, registerCoreGradients, requestDevice } from '@thaw/kernels';
import { measureCeilings } from '../ceilings/ceilings.ts';
import type { Engine } from '../engines/engine.ts';
import { thawEngine } from '../engines/thaw.ts';
import { webglEngine } from '../engines/tfjs-webgl.ts';
import { webgpuEngine } from '../engines/tfjs-webgpu-engine.ts';
import type { Contender } from '../measure/compare.ts';
import { kernelRows } from '../measure/kernel-rows.ts';
import { openWorkload } from '../workloads/open.ts';
import { isSoftwareRenderer, type BrowserSpec, type PagePost } from './spec.ts';

const log = document.querySelector('pre');
function say(text: string): void {
  log?.append(`${text}\n`);
  log?.scrollIntoView({ block: 'end' });
}

async function post(value: PagePost): Promise<void> {
  const { ok } = await fetch('/post', { method: 'POST', body: JSON.stringify(value) });
  if (!ok) throw new Error('thaw bench browser, which serves this page, did not take what was measured');
}

async function adapterOfPage(): Promise<GPUAdapter> {
  if (!('gpu' in navigator))
    throw new Error('this browser has no WebGPU: use a newer Chrome, or start it with --enable-unsafe-webgpu');
  const adapter = await navigator.gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter)
    throw new Error('this browser gives no WebGPU adapter: chrome://gpu says why; on Linux start it with --enable-unsafe-webgpu'); // prettier-ignore
  return adapter;
}

async function run(): Promise<void> {
  const spec = (await (await fetch('/spec.json')).json()) as BrowserSpec;
  registerCoreGradients();
  const adapter = await adapterOfPage();
  const description = describeAdapter(adapter);
  const device = await requestDevice(adapter);
  const thaw = register(device);
  const engine = thawEngine(thaw);
  const others: Engine[] = [];
  let renderer: string | undefined;
  for (const name of spec.against) {
    if (name === 'tfjs-webgpu')
      others.push(webgpuEngine(WebGPUBackend, await requestDevice(await adapterOfPage()), (work) => work));
    else {
      const webgl = await webglEngine();
      renderer = webgl.renderer;
      others.push(webgl.engine);
    }
  }
  const peers = others.map((one): Contender => ({ engine: one.name, open: (what) => openWorkload(one, what) }));
  const ceilings = await measureCeilings(device);
  const { subgroupSize } = thaw.gpu.kind;
  await post({
    event: 'environment',
    userAgent: navigator.userAgent,
    adapter: { ...description, subgroupSize },
    renderer,
    rendererIsSoftware: renderer === undefined ? undefined : isSoftwareRenderer(renderer),
    ceilings,
  });
  say(`WebGPU: ${description.name}\nWebGL: ${renderer ?? 'not measured'}\n`);
  for (const [i, one] of spec.cases.entries()) {
    try {
      for (const row of await kernelRows(one, { ...spec, engine, peers, ceilings })) {
        await post({ event: 'row', ...row });
        say(`${i + 1} of ${spec.cases.length}: ${row.case}: ${row.engine} ${row.milliseconds.median.toFixed(2)} ms`);
      }
    } catch (error) {
      if (error instanceof DeviceLostError) throw error;
      const message = error instanceof Error ? error.message : String(error);
      await post({ event: 'failure', case: one.name, message });
      say(message);
    }
  }
}

try {
  await run();
  await post({ event: 'done' });
  say('\nDone. The figures are where thaw bench browser was started.');
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  say(message);
  await post({ event: 'failed', message });
}
