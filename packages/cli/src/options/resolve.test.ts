// Where a setting's value comes from, and the words for a wrong one.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { UsageError } from '../errors.ts';
import { temporaryFolder } from '../testing/stand-in.ts';
import { TRAIN_DEFAULTS } from './presets.ts';
import { resolveSettings, type Layer } from './resolve.ts';
import { flagOf, OPTION_INFO, settings as all, type SomeSettings } from './settings.ts';

const schema = all
  .pick({
    preset: true,
    epochs: true,
    learningRate: true,
    optimizer: true,
    thaw: true,
    head: true,
    imageSize: true,
    config: true,
    cacheFeatures: true,
  }) // prettier-ignore
  .partial({ preset: true, imageSize: true, config: true });
const resolve = (flags: Layer, base?: SomeSettings) =>
  resolveSettings(schema, { defaults: TRAIN_DEFAULTS, flags, base });

const config = async (content: string): Promise<string> => {
  const path = join(await temporaryFolder(), 'config.json');
  await writeFile(path, content);
  return path;
};

describe('sources, each over the one before', () => {
  test('defaults', async () => {
    expect(await resolve({})).toMatchObject({ epochs: 20, thaw: 'none', head: 'linear', cacheFeatures: true });
  });

  test('the run that is resumed, the preset, the file, the flags', async () => {
    const path = await config('{"epochs": 7, "learningRate": 0.01}');
    const base = { epochs: 3, optimizer: 'sgd' } as const;
    expect(await resolve({}, base)).toMatchObject({ epochs: 3, optimizer: 'sgd' });
    expect(await resolve({ preset: 'article-2' }, base)).toMatchObject({ epochs: 20, thaw: ':-42', optimizer: 'adam' });
    expect(await resolve({ preset: 'article-2', config: path })).toMatchObject({ epochs: 7, learningRate: 0.01, head: 'article', imageSize: 32 }); // prettier-ignore
    expect(await resolve({ preset: 'article-2', config: path, epochs: '9' })).toMatchObject({ epochs: 9, learningRate: 0.01 }); // prettier-ignore
  });

  test('a preset named in the file counts', async () => {
    expect(await resolve({ config: await config('{"preset": "article-2-last42"}') })).toMatchObject({ thaw: '-42:', head: 'article' }); // prettier-ignore
  });

  test('a switch that is off', async () => {
    expect(await resolve({ cacheFeatures: false })).toMatchObject({ cacheFeatures: false });
  });
});

test.each([
  [{ epochs: '0' }, '--epochs: 0 is not a whole number of at least 1.'],
  [{ epochs: '2.5' }, '--epochs: 2.5 is not a whole number of at least 1.'],
  [{ epochs: 'many' }, '--epochs: "many" is not a whole number of at least 1.'],
  [{ learningRate: '-1' }, '--learning-rate: -1 is not a number above 0.'],
  [{ learningRate: '' }, '--learning-rate: "" is not a number above 0.'],
  [{ learningRate: 'Infinity' }, '--learning-rate: "Infinity" is not a number above 0.'],
  [{ optimizer: 'adm' }, '--optimizer: "adm" is not one of adam, sgd; did you mean adam?'],
  [{ preset: 'artcle-1' }, 'did you mean article-1?'],
  [{ head: '32,,8' }, '--head: "32,,8" is not linear, article, or a list of widths such as 256,64.'],
  [{ imageSize: '16' }, '--image-size: 16 is not a whole number from 32 to 1024.'],
])('%j is refused in words', async (flags, message) => {
  const refused = resolve(flags);
  await expect(refused).rejects.toThrow(message);
  await expect(refused).rejects.toBeInstanceOf(UsageError);
});

test.each([
  ['{"epochs": "x"}', /epochs in .*config\.json: "x" is not a whole number of at least 1\./],
  ['{"epoch": 3}', /there is no setting "epoch"; did you mean "epochs"\?/],
  ['[1]', /must hold one JSON object, such as/],
  ['{"epochs": 3', /config\.json is not JSON: /],
])('a configuration file of %s is refused in words', async (content, message) => {
  await expect(resolve({ config: await config(content) })).rejects.toThrow(message);
});

test('a configuration file that is not there is named', async () => {
  await expect(resolve({ config: '/nowhere/c.json' })).rejects.toThrow('--config: /nowhere/c.json does not exist.');
});

test('the flag of every setting is its name in dashes, or switches it off', () => {
  for (const name of Object.keys(OPTION_INFO) as (keyof typeof OPTION_INFO)[]) {
    const dashed = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    expect([`--${dashed}`, `--no-${dashed}`]).toContain(flagOf(name));
  }
});
