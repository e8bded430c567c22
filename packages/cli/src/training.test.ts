// Whole runs, small, on drawn images and random weights: the run folder, interruption, resumption, and what reads a run.
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSafetensors, toFloat32, toInt32 } from '@thaw/model';
import { loadCheckpoint } from '@thaw/model/node';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
// By path: what tests share is no export of the published package.
import { noAdapter, openTestDevice } from '../../kernels/src/testing/adapter.ts';
import { EXIT } from './errors.ts';
import { temporaryFolder, thaw, type Ran } from './testing/stand-in.ts';
import { plural } from './text/format.ts';

const eventsNamed = ({ events }: Ran, name: string) => events.filter(({ event }) => event === name);
const result = (ran: Ran) => eventsNamed(ran, 'result')[0] ?? {};
const json = async (path: string): Promise<unknown> => JSON.parse(await readFile(path, 'utf8'));

/** Pictures of one colour for each class: "photos/<colour>/<n>.png". */
async function photos(folder: string, each: number): Promise<void> {
  for (const [name, background] of [['green', '#22aa33'], ['red', '#cc2222']] as const) {
    await mkdir(join(folder, 'photos', name), { recursive: true });
    for (let i = 0; i < each; i++)
      await sharp({ create: { width: 40 + i, height: 32, channels: 3, background } })
        .png()
        .toFile(join(folder, 'photos', name, `${i}.png`));
  } // prettier-ignore
}

describe.skipIf(noAdapter)('a thawed run', () => {
  const LINE =
    'train --data generated --limit-train 24 --limit-test 20 --weights random --image-size 32 --batch-size 8 --epochs 2 ' +
    '--thaw conv5_block3 --batch-norm frozen --dropout 0.25 --learning-rate 1e-4 --json';
  /** Enlarged, augmented, scheduled, averaged. */
  const RECIPE =
    '--image-size 40 --augment strong --schedule cosine --warmup 0.2 --rate-decay 0.5 --label-smoothing 0.1 --average-weights 0.8 --coral photos --coral-weight 2';

  test('interrupted by Ctrl-C and resumed, it ends with the very weights of one that was not', async () => {
    const folder = await temporaryFolder();
    await photos(folder, 6);
    const whole = await thaw(`${LINE} ${RECIPE} --output whole`, folder);
    expect(whole.stderr).not.toContain('thaw:');
    expect(whole.code).toBe(EXIT.done);

    let pressed = false;
    const cut = await thaw(`${LINE} ${RECIPE} --output cut`, folder, (text) => {
      if (pressed || !text.includes('"event":"epoch"')) return;
      pressed = true;
      process.emit('SIGINT');
    });
    expect(cut.code).toBe(EXIT.interrupted);
    expect(cut.stderr).toContain(`thaw train --resume ${join(folder, 'cut')}`);
    expect(await readdir(join(folder, 'cut'))).not.toContain('summary.json');
    const midway = await loadCheckpoint(join(folder, 'cut', 'last.safetensors'));
    expect(midway.progress).toMatchObject({ epoch: 1, step: 1, totalSteps: 4 });

    const resumed = await thaw('train --resume cut --json', folder);
    expect(resumed.stderr).not.toContain('thaw:');
    expect(resumed.code).toBe(EXIT.done);
    const [a, b] = await Promise.all(
      ['whole', 'cut'].map((run) => loadCheckpoint(join(folder, run, 'last.safetensors'))),
    );
    expect(b!.progress.totalSteps).toBe(6);
    expect([...b!.variables.keys()]).toEqual([...a!.variables.keys()]);
    expect(a!.average!.size).toBe(a!.variables.size);
    for (const part of ['variables', 'optimizer', 'average'] as const)
      for (const [name, { data }] of a![part]!) expect(Buffer.compare(bytesOf(b![part]!.get(name)!.data), bytesOf(data)), name).toBe(0); // prettier-ignore
    const best = await loadCheckpoint(join(folder, 'whole', 'best.safetensors'));
    expect(best.average).toBeUndefined();
    const { confusion, accuracy, loss } = result(whole);
    expect(result(resumed)).toMatchObject({ confusion, accuracy, loss, epochs: 2 });
    expect((await readFile(join(folder, 'cut', 'metrics.jsonl'), 'utf8')).trimEnd().split('\n')).toHaveLength(2);

    const changed = await thaw('train --resume cut --thaw none', folder);
    expect(changed.stderr).toContain(
      '--thaw: a resumed run keeps its conv5_block3; start a new run to train with none.',
    );
    expect(changed.code).toBe(EXIT.usage);
    const longer = await thaw('train --resume cut --epochs 3', folder);
    expect(longer.stderr).toContain('--epochs: a resumed run keeps its 2; start a new run to train with 3.');
  });

  test('in two phases, interrupted in the second and resumed, it ends with the very weights of one that was not', async () => {
    const folder = await temporaryFolder();
    const line = `${LINE} --method fine-tune --head-epochs 2 --augment light --patience 5`;
    const whole = await thaw(`${line} --output whole`, folder);
    expect(whole.stderr).not.toContain('thaw:');
    const rows = (await readFile(join(folder, 'whole', 'metrics.jsonl'), 'utf8')).trimEnd().split('\n').map((row) => JSON.parse(row) as { epoch: number; phase: string }); // prettier-ignore
    expect(rows.map(({ epoch, phase }) => `${epoch} ${phase}`)).toEqual([
      '1 head',
      '2 head',
      '3 conv5_block3',
      '4 conv5_block3',
    ]);

    let pressed = false;
    const cut = await thaw(`${line} --output cut`, folder, (text) => {
      if (pressed || !text.includes('"epoch":3')) return;
      pressed = true;
      process.emit('SIGINT');
    });
    expect(cut.code).toBe(EXIT.interrupted);
    const midway = await loadCheckpoint(join(folder, 'cut', 'last.safetensors'));
    expect(midway.progress).toMatchObject({ phase: 1, epoch: 1, bestEpoch: expect.any(Number) as number });
    const resumed = await thaw('train --resume cut --json', folder);
    expect(resumed.stderr).not.toContain('thaw:');
    for (const name of ['last', 'best']) {
      const [a, b] = await Promise.all(['whole', 'cut'].map((run) => loadCheckpoint(join(folder, run, `${name}.safetensors`)))); // prettier-ignore
      expect(b!.progress.bestEpoch).toBe(a!.progress.bestEpoch);
      for (const part of ['variables', 'optimizer'] as const)
        for (const [key, { data }] of a![part]) expect(Buffer.compare(bytesOf(b![part].get(key)!.data), bytesOf(data)), key).toBe(0); // prettier-ignore
    }
    const { confusion, accuracy } = result(whole);
    expect(result(resumed)).toMatchObject({ confusion, accuracy, epochs: 4 });
    // Whichever phase the best epoch is of, it can be opened again.
    const again = await thaw('evaluate cut --limit-test 20 --json', folder);
    expect(result(again)).toMatchObject({ confusion });
    const wrong = await thaw(`${LINE} --method frozen`, folder);
    expect(wrong.stderr).toContain(
      "--method: the method frozen trains the head alone, and 'conv5_block3' thaws 10 layers.",
    );
    expect(wrong.code).toBe(EXIT.usage);
  });

  test('in mixed precision where the device can: leaves its folder, constant memory, and a result that evaluate repeats', async () => {
    const { device } = await openTestDevice();
    const precision = device.features.has('shader-f16') ? 'mixed' : 'float32';
    device.destroy();
    const folder = await temporaryFolder();
    const ran = await thaw(`${LINE} --precision ${precision} --output run`, folder);
    expect((await readdir(join(folder, 'run'))).sort()).toEqual(
      ['best.safetensors', 'config.json', 'events.out.tfevents.thaw', 'last.previous.safetensors', 'last.safetensors', 'metrics.jsonl', 'report.html', 'summary.json'],
    ); // prettier-ignore
    const summary = (await json(join(folder, 'run', 'summary.json'))) as {
      measured: Record<string, number> & { lossScale?: object };
      confusion: number[][];
      accuracy: number;
    };
    const { measured } = summary;
    expect(measured['tensorsAtEnd']).toBe(measured['tensorsAfterStep2']);
    expect(measured['deviceBytesAtEnd']).toBe(measured['deviceBytesAfterStep2']);
    expect(measured['steps']).toBe(6);
    expect(measured.lossScale).toEqual(precision === 'mixed' ? { scale: 2 ** 16, skipped: 0 } : undefined);
    expect(await json(join(folder, 'run', 'config.json'))).toMatchObject({ network: { precision } });
    const images = summary.confusion.flat().reduce((sum, n) => sum + n, 0);
    const hits = summary.confusion.reduce((sum, row, i) => sum + (row[i] ?? 0), 0);
    expect(images).toBe(20);
    expect(summary.accuracy).toBeCloseTo(hits / images, 12);
    expect(eventsNamed(ran, 'epoch').map(({ epoch }) => epoch)).toEqual([1, 2]);

    const again = await thaw('evaluate run --limit-test 20 --json', folder);
    expect(again.stderr).not.toContain('thaw:');
    expect(result(again)).toMatchObject({ confusion: summary.confusion, images: 20 });
    const elsewhere = await thaw('evaluate run --limit-test 4 --backend wasm', folder);
    expect(elsewhere.code).toBe(EXIT.done);
    if (precision === 'mixed')
      expect(elsewhere.stderr).toContain('was trained in mixed precision; without float16 here it runs in float32.');
    const { code, stderr } = await thaw(`${LINE} --output run`, folder);
    expect(stderr).toContain('holds a run already; go on with it by --resume');
    expect(code).toBe(EXIT.usage);
  });
});

test('find-lr: rates that rise by one factor until the loss diverges, a suggestion among them, and a page', async () => {
  const folder = await temporaryFolder();
  const ran = await thaw('find-lr --data generated --limit-train 40 --weights random --image-size 32 --batch-size 8 --backend wasm --html rates.html --json', folder); // prettier-ignore
  expect(ran.stderr).not.toContain('thaw:');
  const { points, suggested, lowest } = result(ran) as { points: { rate: number; loss: number }[]; suggested: number; lowest: number }; // prettier-ignore
  expect(points[0]!.rate).toBe(1e-6);
  // A hundred steps from 1e-6 to 1.
  points.forEach(({ rate }, i) => expect(Math.log10(rate)).toBeCloseTo(-6 + (6 * i) / 99, 9));
  // Adam at the first rate changes next to nothing: the loss of ten classes that are guessed, more or less.
  expect(points[0]!.loss).toBeGreaterThan(1);
  expect(points.map(({ rate }) => rate)).toContain(suggested);
  expect(suggested).toBeLessThanOrEqual(lowest);
  const page = await readFile(join(folder, 'rates.html'), 'utf8');
  expect(page).toContain('The loss falls the fastest at');
  expect(page).toContain('<canvas id="rates">');
});

describe('a frozen run on WebAssembly, from a folder of images with one that is broken', () => {
  let folder: string;
  let ran: Ran;
  const train = (rest: string): Promise<Ran> =>
    thaw(`train --data ${join(folder, 'photos')} --weights random --backend wasm --image-size 32 --batch-size 4 --validation-split 0.25 --stratified --seed 2 --trunk wasm ${rest}`, folder); // prettier-ignore

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'thaw-cli-'));
    await photos(folder, 8);
    await writeFile(join(folder, 'photos', 'red', 'broken.png'), 'no image');
    ran = await train('--epochs 12 --learning-rate 0.01 --output run --json');
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test('with augmentation the trunk runs in every epoch, on its own images', async () => {
    const augmented = await train('--augment strong --trunk auto --epochs 2 --output augmented --json');
    expect(augmented.stderr).toContain('its features cannot be kept');
    expect(augmented.code).toBe(EXIT.done);
    expect(eventsNamed(augmented, 'phase').map(({ name }) => name)).not.toContain('features of the train images');
    expect(eventsNamed(augmented, 'epoch')).toHaveLength(2);
  });

  test('learns the colours, with the trunk on threads', async () => {
    expect(ran.code).toBe(EXIT.done);
    expect(eventsNamed(ran, 'warning')).toHaveLength(1);
    expect(result(ran)).toMatchObject({ evaluatedOn: 'validation', accuracy: 1, macroF1: 1 });
    // Thirteen training images, the broken one among them, and four to validate: five batches of four.
    const trunk = { engine: 'wasm', threads: Math.min(availableParallelism(), 5) };
    expect(eventsNamed(ran, 'trunk')).toEqual([{ event: 'trunk', ...trunk }]);
    expect(await json(join(folder, 'run', 'config.json'))).toMatchObject({ device: { backend: 'wasm', trunk } });
    expect(await json(join(folder, 'run', 'summary.json'))).toMatchObject({ device: { backend: 'wasm', trunk } });
    const report = await readFile(join(folder, 'run', 'report.html'), 'utf8');
    expect(report).toContain(`tfjs-wasm on ${plural(trunk.threads, 'thread')}; all else on WebAssembly`);
    // All four were recognised, each with a heat map over it: of 32 x 32 images from conv3.
    expect(report.match(/<figure [^>]*><div class="picture"><img src="data:image\/jpeg[^>]*><img class="heat" src="data:image\/webp/g)).toHaveLength(4); // prettier-ignore
    expect(report).toContain('conv3_block4_out, 4 x 4 positions');
    const { data, weights } = (await json(join(folder, 'run', 'config.json'))) as { data: { hashes: Record<string, string> }; weights: { hash: string } }; // prettier-ignore
    expect(Object.keys(data.hashes)).toEqual(['train', 'validation']);
    for (const hash of [weights.hash, ...Object.values(data.hashes)]) expect(report).toContain(`<code>${hash}</code>`);
  });

  test('report makes its report anew, evaluate one of other images, and report of two runs compares them', async () => {
    const path = join(folder, 'run', 'report.html');
    const before = await readFile(path, 'utf8');
    await writeFile(path, 'gone');
    const anew = await thaw('report run --backend wasm --json', folder);
    expect(anew.code).toBe(EXIT.done);
    expect(result(anew)).toMatchObject({ report: path, runs: [{ accuracy: 1 }] });
    // The same to the byte: nothing of it is of the moment it is written in.
    expect(await readFile(path, 'utf8')).toBe(before);

    const other = await thaw(`evaluate run --backend wasm --data ${join(folder, 'photos')} --split train --html other.html --json`, folder); // prettier-ignore
    expect(result(other)).toMatchObject({ images: 16, report: join(folder, 'other.html') });
    expect(await readFile(join(folder, 'other.html'), 'utf8')).toContain('macro-F1 on 16 photos images');

    const slow = await train('--epochs 2 --learning-rate 0.001 --output slow --json');
    expect(slow.code).toBe(EXIT.done);
    const both = await thaw('report run slow', folder);
    expect(both.code).toBe(EXIT.done);
    expect(both.stdout).toMatch(/^--epochs +12 +2$/m);
    expect(both.stdout).toMatch(/^--learning-rate +0\.01 +0\.001$/m);
    expect(both.stdout).not.toContain('--head');
    const page = await readFile(join(folder, 'comparison.html'), 'utf8');
    expect(page).toContain('<code>--learning-rate</code></th><td>0.01</td><td>0.001</td>');
    expect(page).not.toContain('cannot be compared');
  });

  test('report of what is no run, or did not end, says so', async () => {
    await mkdir(join(folder, 'cut'), { recursive: true });
    await writeFile(join(folder, 'cut', 'config.json'), await readFile(join(folder, 'run', 'config.json')));
    expect((await thaw('report photos', folder)).stderr).toContain('photos is not a run folder');
    const cut = await thaw('report cut', folder);
    expect(cut.stderr).toContain('did not end, so it has no scores; go on with thaw train --resume');
    expect(cut.code).toBe(EXIT.failed);
    expect((await thaw('report run cut', folder)).stdout).toMatch(/^cut +did not end/m);
    await writeFile(join(folder, 'cut', 'summary.json'), '{"preset": "custom"}');
    expect((await thaw('report run cut', folder)).stderr).toContain(
      'summary.json is not what a run writes: evaluatedOn',
    );
  });

  test('with --strict it stops at the broken image', async () => {
    const strict = await train('--strict --epochs 1 --output strict');
    expect(strict.stderr).toContain('broken.png');
    expect(strict.code).toBe(EXIT.failed);
  });

  test('predict names the colours with it', async () => {
    const named = await thaw(
      'predict --run run --backend wasm --csv --top-k 1 photos/green/0.png photos/red/0.png',
      folder,
    );
    expect(named.code).toBe(EXIT.done);
    const [, green, red] = named.stdout.trimEnd().split('\n');
    expect(green).toMatch(/green\/0\.png,1,green,/);
    expect(red).toMatch(/red\/0\.png,1,red,/);
  });

  const PREDICT = 'predict --run run --backend wasm --trunk device';

  test('predict writes each answer when it has it: before the last image of a list is named', async () => {
    let isFirstWritten = (): void => undefined;
    const firstIsWritten = new Promise<void>((done) => (isFirstWritten = done));
    async function* list(): AsyncGenerator<string> {
      yield 'photos/green/0.png\nphotos/red/1';
      // Where answers wait for all images, this hangs.
      await firstIsWritten;
      yield '.png\nphotos/red/broken.png\n';
    }
    const onOut = (text: string): void => {
      if (text.includes('green')) isFirstWritten();
    };
    const ran = await thaw(`${PREDICT} --format jsonl --from-file -`, folder, onOut, list());
    expect(ran.stderr).toContain('skipped');
    expect(ran.code).toBe(EXIT.done);
    const lines = ran.stdout.trimEnd().split('\n').map((line) => JSON.parse(line) as { file: string; classes: object[] }); // prettier-ignore
    expect(lines.map(({ file }) => file)).toEqual(['photos/green/0.png', 'photos/red/1.png']);
    expect(lines[1]!.classes[0]).toMatchObject({ class: 'red', index: 1 });
  });

  test('predict reads an image from standard input, and writes one array of JSON', async () => {
    async function* piped(): AsyncGenerator<Uint8Array> {
      yield await readFile(join(folder, 'photos', 'red', '2.png'));
    }
    const ran = await thaw(`${PREDICT} --format json --top-k 1 - photos/green/*.png`, folder, undefined, piped());
    expect(ran.code).toBe(EXIT.done);
    const answers = JSON.parse(ran.stdout) as { file: string; classes: { class: string }[] }[];
    expect(answers).toHaveLength(9);
    expect(answers[0]).toMatchObject({ file: '-', classes: [{ class: 'red' }] });
    expect(answers.slice(1).every(({ classes }) => classes[0]!.class === 'green')).toBe(true);
  });

  test.each([
    ['--format yaml photos', '--format: "yaml" is not one of table, csv, json, jsonl', EXIT.usage],
    ['--csv --json photos', 'choose --csv or --json', EXIT.usage],
    ['--csv --format jsonl photos', '--csv: choose --csv or --format jsonl', EXIT.usage],
    ['--top-k 1', 'images are missing', EXIT.usage],
    ['- --from-file -', 'standard input is one image (-) or a list of images', EXIT.usage],
    ['nothing/*.png', 'no file matches this pattern', EXIT.failed],
    ['--from-file no.txt', 'no.txt does not exist.', EXIT.failed],
    ['--csv photos/red/broken.png', 'Not one of the images could be read.', EXIT.failed],
  ])('predict %s is refused', async (rest, why, exitCode) => {
    const { code, stderr } = await thaw(`${PREDICT} ${rest}`, folder);
    expect(stderr).toContain(why);
    expect(code).toBe(exitCode);
  });

  test('export: onnxruntime gives the probabilities that predict gives', async () => {
    const exported = await thaw('export run --fold --output out/colours.onnx --json', folder);
    expect(exported.code).toBe(EXIT.done);
    expect(eventsNamed(exported, 'exported')[0]).toMatchObject({
      format: 'onnx',
      classes: ['green', 'red'],
      notes: [],
    });
    const predicted = await thaw('predict --run run --backend wasm --trunk device --json photos/green/0.png', folder);
    const { classes } = eventsNamed(predicted, 'prediction')[0] as {
      classes: { index: number; probability: number }[];
    };
    const session = await InferenceSession.create(await readFile(join(folder, 'out', 'colours.onnx')));
    // The picture is of one colour, and so is what resizing makes of it.
    const pixels = Float32Array.from({ length: 32 * 32 * 3 }, (_, i) => [0x22, 0xaa, 0x33][i % 3]!);
    const { probabilities } = await session.run({ images: new Tensor('float32', pixels, [1, 32, 32, 3]) });
    // Rounding of 53 layers, and of probabilities of about 1.
    for (const { index, probability } of classes) expect(probabilities?.data[index]).toBeCloseTo(probability, 4);
    expect(classes).toHaveLength(2);
  });

  test.each([
    ['export run --format keras --half', 'Keras reads weights in float32', EXIT.usage],
    ['export run --format safetensors --fold', 'use onnx or tfjs', EXIT.usage],
    ['export photos', 'is not a run folder', EXIT.failed],
  ])('thaw %s is refused', async (line, why, exitCode) => {
    const { code, stderr } = await thaw(line, folder);
    expect(stderr).toContain(why);
    expect(code).toBe(exitCode);
  });

  test.each(['safetensors', 'tfjs', 'keras'])('export --format %s writes into the run folder', async (format) => {
    const { code, stdout } = await thaw(`export run --format ${format}`, folder);
    expect(code).toBe(EXIT.done);
    const files = stdout.split('\n').flatMap((line) => /^(run\/\S+) {2}[\d.]+ .iB$/.exec(line)?.[1] ?? []);
    expect(files).toHaveLength(format === 'tfjs' ? 2 : 1);
    for (const file of files) expect((await readFile(join(folder, file))).byteLength).toBeGreaterThan(1000);
  });

  test('features of its trunk are the same bits on a thread of the same engine', async () => {
    const read = async (engine: string): Promise<Float32Array> => {
      const features = await thaw(
        `features --run run --backend wasm --trunk ${engine} --data ${join(folder, 'photos')} --range 2:6 --batch-size 3 --output f.safetensors --json`,
        folder,
      );
      expect(features.stderr).not.toContain('thaw:');
      expect(features.code).toBe(EXIT.done);
      const file = readSafetensors(new Uint8Array(await readFile(join(folder, 'f.safetensors'))));
      expect(file.tensors.get('features')!.shape).toEqual([4, 2048]);
      expect([...toInt32(file.tensors.get('labels')!)!]).toEqual([0, 0, 0, 0]);
      return toFloat32(file.tensors.get('features')!)!;
    };
    const onDevice = await read('device');
    expect(onDevice.every(Number.isFinite)).toBe(true);
    expect(await read('wasm')).toEqual(onDevice);
  });
});

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength);
