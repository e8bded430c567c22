// thaw features --classifier from pictures to a run that evaluate, predict and export take, on random weights.
import { mkdir, mkdtemp, readdir, readFile, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EXIT } from './errors.ts';
import { thaw, type Ran } from './testing/stand-in.ts';

const result = ({ events }: Ran) => events.find(({ event }) => event === 'result') ?? {};

/** Pictures of two colours, "photos/<part>/<colour>/<n>.png", a little different each. */
async function photos(folder: string): Promise<void> {
  for (const [part, each] of [
    ['train', 8],
    ['val', 3],
  ] as const)
    // prettier-ignore
    for (const [name, r, g] of [['green', 30, 200], ['red', 210, 40]] as const) { // prettier-ignore
      await mkdir(join(folder, 'photos', part, name), { recursive: true });
      for (let i = 0; i < each; i++)
        await sharp({ create: { width: 32, height: 32, channels: 3, background: { r: r + i, g: g - 2 * i, b: 5 * i } } })
          .png()
          .toFile(join(folder, 'photos', part, name, `${i}.png`));
    }
}

const FIT = 'features --data photos --weights random --image-size 32 --backend wasm';

describe('features --classifier', () => {
  /** One for all: the trunk runs once, its features are kept. */
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'thaw-cli-'));
    await photos(folder);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test.each([
    ['logistic', '--pca 3'],
    ['tree', '--depth 2'],
    ['forest', '--pca 3 --trees 7'],
    ['boosting', '--trees 20 --depth 2'],
    ['knn', '--neighbors 3'],
  ])('%s %s: fitted, scored and, of each way to score, evaluated', async (kind, flags) => {
    const fitted = await thaw(`${FIT} --classifier ${kind} ${flags} --output ${kind} --json`, folder);
    expect(fitted.stderr).not.toContain('thaw:');
    expect(fitted.code).toBe(EXIT.done);
    const model = kind === 'logistic' ? 'best.safetensors' : 'classifier.safetensors';
    expect((await readdir(join(folder, kind))).sort()).toEqual([model, 'config.json', 'summary.json'].sort());
    const summary = JSON.parse(await readFile(join(folder, kind, 'summary.json'), 'utf8')) as Record<string, unknown>;
    // Two plain colours: every kind tells them apart.
    expect(summary).toMatchObject({ evaluatedOn: 'validation', images: 6, accuracy: 1, macroF1: 1, confusion: [[3, 0], [0, 3]] }); // prettier-ignore
    // Trees are one to evaluate, and a tree is the first of them.
    if (kind === 'forest' || kind === 'boosting') return;
    const evaluated = await thaw(`evaluate ${kind} --backend wasm --json`, folder);
    expect(evaluated.code).toBe(EXIT.done);
    expect(result(evaluated)).toMatchObject({ images: 6, accuracy: 1, loss: summary['loss'] });
  });

  test.each(['logistic', 'tree'])('predict takes %s', async (kind) => {
    const ran = await thaw(`predict photos/val/red/0.png --run ${kind} --backend wasm --top-k 1 --json`, folder);
    expect(ran.events.filter(({ event }) => event === 'prediction')).toMatchObject([{ classes: [{ class: 'red' }] }]);
  });

  test('export takes what is a head; neither is gone on with', async () => {
    expect((await thaw('export logistic --format safetensors', folder)).code).toBe(EXIT.done);
    const refused = await thaw('export tree --format safetensors', folder);
    expect(refused.code).toBe(EXIT.failed);
    expect(refused.stderr).toContain('holds a classifier of kind tree, which these formats cannot express');
    expect((await thaw('train --resume tree', folder)).stderr).toContain('which is fitted in one go');
  });

  test('a classifier file that is damaged or gone is named', async () => {
    const path = join(folder, 'knn', 'classifier.safetensors');
    await truncate(path, 100);
    const cut = await thaw('evaluate knn --backend wasm', folder);
    expect(cut.code).toBe(EXIT.failed);
    expect(cut.stderr).toContain(path);
    await rm(path);
    expect((await thaw('evaluate knn --backend wasm', folder)).stderr).toContain(
      `${path} does not exist; fit it again`,
    );
  });

  test.each([
    ['--classifier svm', '--classifier: "svm" is not one of logistic, tree, forest, boosting, knn.'],
    ['--classifier knn --pca 0', '--pca: 0 is not a whole number of at least 1.'],
    ['--classifier knn --pca 16', '--pca: 16 training images have 15 principal components; ask for fewer than 16.'],
    ['--classifier knn --neighbors 17', '--neighbors: there are 16 training images, fewer than 17.'],
    ['--classifier knn --depth 3', '--depth: knn has no trees; it is that of tree, forest and boosting.'],
    ['--classifier tree --l2 1', "--l2: a decision tree has no such penalty; it is logistic's."],
    ['--classifier tree --trees 5', '--trees: tree has no number of trees; it is that of forest and boosting.'],
    ['--classifier tree --split test', '--split: goes with a file of features alone'],
    ['--trees 5 --output f.npy', '--trees: goes with --classifier alone'],
    ['', '--output is missing: the file to write, .safetensors or .npy'],
  ])('%s is refused in words', async (flags, message) => {
    const ran = await thaw(`${FIT} ${flags}`.trim(), folder);
    expect(ran.stderr).toContain(message);
    expect(ran.code).toBe(EXIT.usage);
    expect(await readdir(join(folder, 'runs')).catch(() => [])).toEqual([]);
  });
});
