// thaw bench browser: Thaw, tfjs-webgpu and tfjs-webgl in one page of a browser, which this serves and listens to.
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BrowserError, withPage } from './browser/drive.ts';
import type { Graphics } from './browser/graphics.ts';
import { serve } from './browser/serve.ts';
import type { BrowserEnvironment, BrowserFailure, BrowserSpec, PagePost } from './browser/spec.ts';
import type { KernelRow } from './measure/kernel-rows.ts';

export type { BrowserAdapter, BrowserEnvironment, BrowserFailure, BrowserPeer, BrowserSpec } from './browser/spec.ts';

/** What `benchBrowser` measures, where, and whom it tells. */
export interface BenchBrowserOptions extends BrowserSpec {
  /** What a headless Chromium is started with; undefined waits for a person to open the address. */
  readonly graphics: Graphics | undefined;
  /** Called once, with the page's address. */
  readonly onAddress: (address: string) => void;
  /** Called once, before any case. */
  readonly onEnvironment: (environment: BrowserEnvironment) => void;
  /** Called with each row as it is measured. */
  readonly onRow: (row: KernelRow) => void;
  /** Called with each case of which no time was taken. */
  readonly onFailure: (failure: BrowserFailure) => void;
  /** Called with each line of the page's console. */
  readonly onConsole?: (text: string) => void;
}

/** What was measured in a browser. */
export interface BrowserResult {
  /** What it ran on. */
  readonly environment: BrowserEnvironment;
  /** A row for each case and engine, Thaw's first. */
  readonly rows: readonly KernelRow[];
  /** Cases of which no time was taken. */
  readonly failures: readonly BrowserFailure[];
}

const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>thaw bench browser</title>
<style>body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem; color-scheme: light dark } pre { font-size: 13px }</style>
<h1>thaw bench browser</h1>
<p>Leave this page in front until it says that it is done.</p>
<pre></pre>
<script type="module" src="bench.page.js"></script>
</html>`;

/**
 * Measures in a headless browser, or in whichever opens the address.
 * @throws NoBrowserError, BrowserError; a case in which the engines disagree is a failure in the result instead
 */
export async function benchBrowser(options: BenchBrowserOptions): Promise<BrowserResult> {
  const { cases, against, rounds, seconds, seed, graphics, onConsole } = options;
  const script = fileURLToPath(new URL('./bench.page.js', import.meta.url));
  if (!existsSync(script)) throw new BrowserError(`${script} is missing: build @thaw/bench first (npm run build).`);
  const spec: BrowserSpec = { cases, against, rounds, seconds, seed };
  const listener = listen(options);
  const served = await serve({
    html: PAGE,
    folder: dirname(script),
    texts: { '/spec.json': JSON.stringify(spec) },
    onPost: (value) => listener.take(value as PagePost),
  });
  try {
    options.onAddress(served.address);
    if (graphics === undefined) return await listener.result;
    return await withPage(served.address, { graphics, ...(onConsole && { onConsole }) }, () => listener.result);
  } finally {
    await served.close();
  }
}

/** Gathers what the page posts. */
function listen({ onEnvironment, onRow, onFailure }: BenchBrowserOptions): {
  take: (post: PagePost) => void;
  result: Promise<BrowserResult>;
} {
  const rows: KernelRow[] = [];
  const failures: BrowserFailure[] = [];
  let environment: BrowserEnvironment | undefined;
  let resolve: (result: BrowserResult) => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const result = new Promise<BrowserResult>((done, failed) => {
    resolve = done;
    reject = failed;
  });
  const take = (post: PagePost): void => {
    switch (post.event) {
      case 'environment': {
        const { event: _, ...about } = post;
        environment = about;
        return onEnvironment(about);
      }
      case 'row': {
        const { event: _, ...row } = post;
        rows.push(row);
        return onRow(row);
      }
      case 'failure': {
        const { event: _, ...failure } = post;
        failures.push(failure);
        return onFailure(failure);
      }
      case 'done':
        if (environment) return resolve({ environment, rows, failures });
        return reject(new BrowserError('the page ended without telling what it runs on'));
      case 'failed':
        return reject(new BrowserError(`In the browser: ${post.message.replace(/\.+$/, '')}.`));
      default:
        throw new Error(`unknown message ${JSON.stringify(post satisfies never)}`);
    }
  };
  return { take, result };
}
