// The packages as published: packed, installed by npm into a project outside the workspace, and used there from plain
// JavaScript (the examples of their READMEs), from TypeScript, on the command line and by bundlers for browsers.
import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build as esbuild } from 'esbuild';
import { publint } from 'publint';
import { build as viteBuild } from 'vite';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { LAUNCHERS, needLauncher, runJob } from '../packages/mpi/src/testing/job.ts';
import { binary } from '../scripts/lib/binary.mjs';
import { bundledSize, PROGRAMS } from '../scripts/lib/bundle-size.mjs';
import { inRoot, PACKAGES } from '../scripts/lib/paths.mjs';
import { installedProject, readmeCode, run, succeed, type Project } from './consumer/project.ts';

let project: Project;
beforeAll(async () => {
  project = await installedProject();
  if (project.unreachable) console.warn(`SKIPPED: what needs the packages installed: ${project.unreachable}`);
}, 300_000);
afterAll(() => project.remove());

/** Runs a program in the project. @returns its standard output, by line */
async function program(name: string, code: string): Promise<string[]> {
  await writeFile(join(project.folder, name), code);
  return (await succeed(process.execPath, [name], project.folder)).trim().split('\n');
}

describe('what is packed', () => {
  test.each(PACKAGES)('@thaw/%s: publint and attw have nothing to say', async (name) => {
    const tarball = project.tarballs.get(name)!;
    const bytes = Uint8Array.from(await readFile(tarball));
    const { messages } = await publint({ strict: true, pack: { tarball: bytes.buffer } });
    expect(messages).toEqual([]);
    const attw = binary('@arethetypeswrong/cli', 'dist/index.js');
    await succeed(process.execPath, [attw, tarball, '--profile', 'esm-only'], project.folder);
  });

  test.each(PACKAGES)('@thaw/%s: a README, the license, no sources, no trace of the workspace', async (name) => {
    const tarball = project.tarballs.get(name)!;
    const files = (await succeed('tar', ['-tzf', tarball], project.folder)).trim().split('\n');
    expect(files).toEqual(expect.arrayContaining(['package/README.md', 'package/LICENSE', 'package/package.json']));
    expect(files.filter((file) => !/^package\/(README\.md|LICENSE|package\.json|dist\/.*)$/.test(file))).toEqual([]);
    expect(files.filter((file) => /\.test\.|\/testing\/|(?<!\.d)\.ts$/.test(file))).toEqual([]);
    const manifest = await succeed('tar', ['-xzOf', tarball, 'package/package.json'], project.folder);
    expect(manifest).not.toMatch(/workspace:|catalog:|thaw-source|"scripts"|"devDependencies"/);
  });
});

describe('installed', () => {
  beforeEach(({ skip }) => {
    if (project.unreachable) skip(project.unreachable);
  });

  describe('in plain Node', () => {
    test('importing @thaw/kernels/node registers the backend and opens no device', async () => {
      const [line = ''] = await program(
        'import.mjs',
        `import '@thaw/kernels/node';
        import * as tf from '@tensorflow/tfjs-core';
        const { registryFactory, registry } = tf.engine();
        console.log(JSON.stringify({ known: 'thaw' in registryFactory, open: Object.keys(registry) }));`,
      );
      expect(JSON.parse(line)).toEqual({ known: true, open: [] });
    });

    test("@thaw/data: the README's example", async () => {
      await program('photos.mjs', PHOTOS);
      expect(await program('data.mjs', readmeCode('data', 'js').join(''))).toEqual([
        "[ 'cats', 'dogs' ] 12 4",
        ...Array.from({ length: 3 }, () => expect.stringMatching(/^Int32Array\(4\) \[ [01](, [01]){3} \] true$/) as unknown), // prettier-ignore
      ]);
    });

    test("@thaw/mpi: the README's example alone, where it is rank 0", async () => {
      expect(await program('mpi.mjs', readmeCode('mpi', 'js').join(''))).toEqual(['0 1 2 3']);
    });

    describe.each(LAUNCHERS)('%s', (launcher) => {
      beforeEach(({ skip }) => needLauncher(launcher, skip));

      test("@thaw/mpi: the README's example on two ranks", async () => {
        await program('mpi.mjs', readmeCode('mpi', 'js').join(''));
        const file = join(project.folder, 'mpi.mjs');
        const job = await runJob({ launcher, ranks: 2, program: file, cwd: project.folder });
        expect(job.ranks.map(({ stdout }) => stdout)).toEqual(['0 2 4 6\n', '1 2 4 6\n']);
        expect(job.code).toBe(0);
      });
    });

    test("TensorFlow.js's gradients are there, in the program's one engine", async () => {
      const lines = await program('gradient.mjs', GRADIENT);
      expect(JSON.parse(lines.at(-1)!)).toEqual(GRADIENT_PRINTS);
    });

    describe('on a device', () => {
      beforeEach(({ skip }) => {
        skip(
          process.env['THAW_NO_ADAPTER'] === '1',
          'needs a WebGPU adapter, and THAW_NO_ADAPTER=1 says there is none',
        );
      });

      test("@thaw/kernels: the README's example finds the filter", async () => {
        const lines = await program('kernels.mjs', readmeCode('kernels', 'js').join(''));
        expect(lines).toEqual(['0 -1 0 -1 4 -1 0 -1 0']);
      });

      test("@thaw/model: the README's example learns", async () => {
        const lines = await program('model.mjs', readmeCode('model', 'js').join(''));
        const losses = lines.slice(0, 10).map((line) => Number(line.split(' ')[1]));
        expect(losses.at(-1)).toBeLessThan(losses[0]! / 2);
        const [accuracy] = lines.at(-1)!.split(' ').map(Number);
        // Of 32 images in two classes, guessing gets as many with a probability of 4 %.
        expect(accuracy).toBeGreaterThanOrEqual(21 / 32);
      });

      test("@thaw/bench: the README's example measures", async () => {
        const lines = await program('bench.mjs', readmeCode('bench', 'js').join(''));
        expect(lines).toEqual([expect.stringMatching(/^conv2d, .*: [\d.]+ ms, at best [\d.]+ ms$/)]);
      });
    });
  });

  test("@thaw/cli: the README's commands", async () => {
    await program('photos.mjs', PHOTOS);
    const thaw = join(project.folder, 'node_modules', '@thaw', 'cli', 'dist', 'thaw.js');
    const env = { THAW_HOME: join(project.folder, 'home') };
    const thawDoes = (words: string[]) => succeed(process.execPath, [thaw, ...words], project.folder, env);
    const { version } = JSON.parse(readFileSync(inRoot('packages', 'cli', 'package.json'), 'utf8')) as {
      version: string;
    };
    expect(await thawDoes(['--version'])).toBe(`${version}\n`);
    const lines = readmeCode('cli', 'sh').join('').split('\n');
    const commands = lines.filter((line) => line.startsWith('thaw ')).map((line) => line.split(/\s+/).slice(1));
    expect(commands.map(([name]) => name)).toEqual(['doctor', 'train', 'evaluate', 'predict']);
    const needsDevice = (name: string | undefined) => name === 'doctor' && process.env['THAW_NO_ADAPTER'] === '1';
    for (const words of commands) if (!needsDevice(words[0])) await thawDoes(words);
    const summary = JSON.parse(await readFile(join(project.folder, 'runs', 'first', 'summary.json'), 'utf8')) as object;
    expect(summary).toMatchObject({ epochs: 3, classes: [{ name: 'cats' }, { name: 'dogs' }] });
  });

  test.each([
    ['node16', 'node16'],
    ['bundler', 'esnext'],
  ])('in TypeScript, moduleResolution %s, declarations of libraries checked too', async (moduleResolution, module) => {
    await writeFile(join(project.folder, 'types.ts'), TYPES);
    const options = {
      target: 'es2022',
      lib: ['es2022', 'dom'],
      strict: true,
      noEmit: true,
      skipLibCheck: false,
    };
    const config = { compilerOptions: { ...options, module, moduleResolution }, files: ['types.ts'] };
    const file = join(project.folder, `tsconfig.${module}.json`);
    await writeFile(file, JSON.stringify(config));
    expect(await succeed(process.execPath, [binary('typescript', 'bin/tsc'), '-p', file], project.folder)).toBe('');
  });

  describe('by a bundler for browsers', () => {
    const isShader = (path: string) => path.endsWith('.wgsl.js');

    test('the backend takes every shader along, and nothing of Node', async () => {
      const { modules, minified } = await bundledSize(PROGRAMS.backend, project.folder);
      expect(modules.filter(isShader).length).toBeGreaterThan(50);
      const [, stated] = /the backend is (\d+) kB minified/.exec(
        readFileSync(inRoot('packages/kernels/README.md'), 'utf8'),
      )!;
      // Else `npm run build` has new figures for the README.
      expect(Math.abs(minified / 1000 / Number(stated) - 1)).toBeLessThan(0.15);
    });

    test('one function brings no shader and no runtime', async () => {
      const conv2d = await bundledSize(PROGRAMS.op, project.folder);
      expect(conv2d.modules.filter((path) => isShader(path) || /kernels\/dist\/(runtime|kernels|backend\/(?!current))/.test(path))).toEqual([]); // prettier-ignore
      const accuracy = await bundledSize(
        { code: "export { accuracy } from '@thaw/model';", external: [] },
        project.folder,
      );
      expect(accuracy.modules).toEqual([expect.stringContaining('model/dist/metrics/metrics.js')]);
    });

    test('training brings only the shaders that have no TensorFlow.js kernel to be named by', async () => {
      const { modules } = await bundledSize(PROGRAMS.training, project.folder);
      expect(
        modules.filter((path) => /conv2d|mat-mul|elementwise|register\.js/.test(path) && !/ops|cases/.test(path)),
      ).toEqual([]);
    });

    test('TensorFlow.js is in a page once', async () => {
      const { modules } = await bundledSize(PROGRAMS.backendWithTfjs, project.folder);
      expect(modules.filter((path) => path.endsWith('tfjs-core/dist/engine.js'))).toHaveLength(1);
      expect(modules.filter((path) => path.endsWith('kernels/dist/gradients/tfjs-gradients.js'))).toEqual([]);
    });

    test("TensorFlow.js's gradients are there, in the page's one engine", async () => {
      await writeFile(join(project.folder, 'gradient.mjs'), GRADIENT);
      await esbuild({
        absWorkingDir: project.folder,
        entryPoints: ['gradient.mjs'],
        outfile: 'gradient.page.mjs',
        bundle: true,
        format: 'esm',
        platform: 'browser',
        // tfjs tells a browser from Node by these.
        banner: { js: 'globalThis.window = globalThis; globalThis.document = {};' },
        define: { 'process.versions': 'undefined' },
        logLevel: 'error',
      });
      const { stdout, stderr } = await run(process.execPath, ['gradient.page.mjs'], project.folder);
      // What would tell of a second tfjs, or of anything registered twice, says "already".
      expect(stderr).not.toMatch(/already/);
      expect(JSON.parse(stdout.trim().split('\n').at(-1)!)).toEqual(GRADIENT_PRINTS);
    });

    test.each([
      ["export { conv2d } from '@thaw/kernels';", false],
      ["import '@thaw/kernels/browser';", true],
    ])('Vite: %s brings shaders: %s', async (code, brings) => {
      await writeFile(join(project.folder, 'entry.js'), code);
      const built = await viteBuild({
        root: project.folder,
        configFile: false,
        logLevel: 'error',
        build: { write: false, minify: false, lib: { entry: 'entry.js', formats: ['es'] } },
      });
      if (!Array.isArray(built)) throw new Error('vite built something else than a library');
      const text = built
        .flatMap(({ output }) => output.map((part) => (part.type === 'chunk' ? part.code : '')))
        .join('');
      expect(text.includes('@compute')).toBe(brings);
      expect(text).not.toMatch(/from ['"]node:/);
    });
  });
});

/** Two classes that their colour tells apart. */
const PHOTOS = `
import { mkdirSync } from 'node:fs';
import sharp from 'sharp';
for (const [name, r] of [['cats', 200], ['dogs', 30]]) {
  mkdirSync('photos/' + name, { recursive: true });
  for (let i = 0; i < 8; i++) {
    const background = { r: r + i, g: 90, b: 230 - r };
    await sharp({ create: { width: 80, height: 72, channels: 3, background } }).jpeg().toFile('photos/' + name + '/' + i + '.jpg');
  }
}`;

/** x * relu(x) summed has the gradient 2x where x > 0, and 0 elsewhere. */
const GRADIENT = `
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { registerCoreGradients } from '@thaw/kernels';
registerCoreGradients();
await tf.setBackend('cpu');
const x = tf.variable(tf.tensor1d([1, -2, 3]));
const { grads } = tf.variableGrads(() => tf.sum(tf.mul(x, tf.relu(x))));
const gradient = grads[x.name];
console.log(JSON.stringify({
  gradient: [...(await gradient.data())],
  isOneEngine: tf.engine() === globalThis._tfengine,
  isTensor: gradient instanceof tf.Tensor,
}));`;
const GRADIENT_PRINTS = { gradient: [2, 0, 6], isOneEngine: true, isTensor: true };

/** Every entry, and uses that must and must not compile. */
const TYPES = `
import '@thaw/kernels/node';
import * as tf from '@tensorflow/tfjs-core';
import { conv2d, register, type ThawBackend } from '@thaw/kernels';
import { openDevice as openInBrowser } from '@thaw/kernels/browser';
import { resnet50Cases } from '@thaw/kernels/cases';
import { openDevice, type OpenedDevice } from '@thaw/kernels/node';
import { shippedTables } from '@thaw/kernels/tuning';
import { batches, generatedDataset, type ImageDataset } from '@thaw/data';
import { openImageFolder } from '@thaw/data/node';
import { randomWeights, ResNet50, type Group, type TrainOptions } from '@thaw/model';
import { loadWeights } from '@thaw/model/node';
import { KERNEL_CASES } from '@thaw/bench';
import { openGroup } from '@thaw/mpi';
import { main } from '@thaw/cli';

export const opened: OpenedDevice = await openDevice();
export const backend: ThawBackend = register(opened.device);
export const dataset: ImageDataset = generatedDataset({ count: 2 });
export const network: ResNet50 = new ResNet50(randomWeights({ seed: 1 }), { imageSize: 32 });
export const features: tf.Tensor2D = network.features(tf.zeros([1, 32, 32, 3]));
// MPI's communicator is the group that training takes.
export const group: Group | undefined = await openGroup();
export type Epochs = TrainOptions['epochs'];
export { batches, conv2d, KERNEL_CASES, loadWeights, main, openImageFolder, openInBrowser, resnet50Cases, shippedTables };
// @ts-expect-error a device is no string
register('gpu');
// @ts-expect-error an image size is a number
new ResNet50(randomWeights({ seed: 1 }), { imageSize: '32' });
// @ts-expect-error count is missing
generatedDataset({});
`;
