// The browser's driver without a browser: what is found, with which flags, and what the server gives and refuses.
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findBrowser, NoBrowserError } from './find.ts';
import { graphicsFlags, resolveGraphics } from './graphics.ts';
import { serve, type Served } from './serve.ts';
import { BROWSER_CASES, isSoftwareRenderer } from './spec.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'thaw-browser-'));
  for (const name of ['google-chrome', 'chromium']) {
    await writeFile(join(folder, name), '#!/bin/sh\n');
    await chmod(join(folder, name), 0o755);
  }
});
afterAll(() => rm(folder, { recursive: true }));

describe('the browser', () => {
  test('is CHROME_PATH, else the first by name on the PATH', () => {
    expect(findBrowser({ CHROME_PATH: join(folder, 'google-chrome'), PATH: folder }, 'linux')).toBe(join(folder, 'google-chrome')); // prettier-ignore
    expect(findBrowser({ PATH: folder }, 'linux')).toBe(join(folder, 'chromium'));
  });

  test.each([
    [{ CHROME_PATH: '/nowhere/chrome', PATH: '' }, 'CHROME_PATH is /nowhere/chrome, which is no program'],
    [{ CHROME_PATH: tmpdir() }, 'which is no program'],
    [{ PATH: '/nowhere' }, 'apt-get install chromium'],
  ])('that is not there: %j', (env, message) => {
    expect(() => findBrowser(env, 'linux')).toThrow(NoBrowserError);
    expect(() => findBrowser(env, 'linux')).toThrow(message);
  });
});

test('on Linux the GPU decides, elsewhere the browser', () => {
  expect(resolveGraphics('auto', 'linux', true)).toBe('vulkan');
  expect(resolveGraphics('auto', 'linux', false)).toBe('software');
  expect(resolveGraphics('auto', 'darwin', true)).toBe('native');
  expect(resolveGraphics('gl', 'linux', false)).toBe('gl');
  expect(graphicsFlags('software')).toEqual(expect.arrayContaining(['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'])); // prettier-ignore
  expect(graphicsFlags('vulkan')).not.toContain('--use-webgpu-adapter=swiftshader');
});

test('software renderers are told by their names', () => {
  expect(isSoftwareRenderer('ANGLE (Google, Vulkan 1.3.0 (SwiftShader Device (Subzero)), SwiftShader driver)')).toBe(true); // prettier-ignore
  expect(isSoftwareRenderer('ANGLE (Mesa, llvmpipe (LLVM 15.0.6 256 bits), OpenGL 4.5)')).toBe(true);
  expect(isSoftwareRenderer('ANGLE (NVIDIA, Vulkan 1.3.277 (NVIDIA H100), NVIDIA)')).toBe(false);
});

test('cases: three directions of 24 convolutions and five batch-norms at either size, and a dense layer', () => {
  for (const size of [32, 224]) expect(BROWSER_CASES.filter(({ imageSize }) => imageSize === size)).toHaveLength(77);
  expect(BROWSER_CASES.filter(({ imageSize }) => imageSize === undefined).map(({ work }) => work.op)).toEqual(['dense']); // prettier-ignore
});

describe('the server', () => {
  const posted: unknown[] = [];
  let site: Served;
  beforeAll(async () => {
    const texts = { '/spec.json': '{"a":1}' };
    site = await serve({ html: '<p>page</p>', folder, texts, onPost: (value) => posted.push(value) });
  });
  afterAll(() => site.close());

  test('gives the page, isolated from other origins, texts, and files of its folder', async () => {
    const page = await fetch(site.address);
    expect(await page.text()).toBe('<p>page</p>');
    expect(page.headers.get('Cross-Origin-Embedder-Policy')).toBe('require-corp');
    expect(await (await fetch(`${site.address}spec.json`)).json()).toEqual({ a: 1 });
    expect(await (await fetch(`${site.address}chromium`)).text()).toBe('#!/bin/sh\n');
  });

  test.each(['missing.js', '..%2f..%2fetc%2fpasswd', 'a/b.js', '.hidden'])('has no %s', async (path) => {
    expect((await fetch(site.address + path)).status).toBe(404);
  });

  test('takes what is posted, and refuses what is no JSON', async () => {
    const post = (body: string) => fetch(`${site.address}post`, { method: 'POST', body });
    expect((await post('{"event":"done"}')).ok).toBe(true);
    expect((await post('no json')).status).toBe(500);
    expect(posted).toEqual([{ event: 'done' }]);
  });
});
