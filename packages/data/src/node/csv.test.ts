// Tables of paths and labels: columns by name or by place, splits, and what is wrong with a row.
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { png, temporaryFolder, writeTree } from '../testing/files.ts';
import { openDataset } from './open.ts';

const image = await png([9, 9, 9]);
const images = Object.fromEntries(['a/1.png', 'a/2.png', 'b/1.png', 'b/2.png'].map((name) => [name, image]));

async function folderWith(table: string, name = 'labels.csv'): Promise<string> {
  const root = await temporaryFolder();
  await writeTree(root, { ...images, [name]: table });
  return root;
}
const home = '/nowhere';

describe('a table of paths and labels', () => {
  test.each([
    ['commas', 'path,label\na/1.png,cat\nb/1.png,dog\na/2.png,cat\n'],
    [
      'semicolons, names in quotes, other columns',
      'id;Label;File_Name\n7;cat;"a/1.png"\n8;dog;b/1.png\n9;cat;a/2.png\n',
    ],
    ['no first line', 'a/1.png,cat\nb/1.png,dog\n\n# a remark\na/2.png,cat\n'],
    ['a byte-order mark and Windows line ends', '\uFEFFpath,label\r\na/1.png,cat\r\nb/1.png,dog\r\na/2.png,cat\r\n'],
  ])('%s', async (_, table) => {
    const root = await folderWith(table);
    const { train, classes, test: none, name } = await openDataset(join(root, 'labels.csv'), { home });
    expect([name, [...classes], [...train.labels], none]).toEqual(['labels.csv', ['cat', 'dog'], [0, 1, 0], undefined]);
    expect(train.describe(1)).toBe(join(root, 'b/1.png'));
    expect((await train.readImage(1, 2))[0]).toBe(9);
  });

  test('tabs, and a column of splits; numbers are ordered by size', async () => {
    const table = 'image\tclass\tset\na/1.png\t10\ttrain\na/2.png\t9\tTraining\nb/1.png\t10\tvalid\nb/2.png\t9\ttest\n';
    const root = await folderWith(table, 'labels.tsv');
    const { classes, train, validation, test: last } = await openDataset('labels.tsv', { home, cwd: root });
    expect([...classes]).toEqual(['9', '10']);
    expect([[...train.labels], [...(validation?.labels ?? [])], [...(last?.labels ?? [])]]).toEqual([[1, 0], [1], [0]]);
    expect(train.name).toBe('labels.tsv train');
  });

  test.each([
    ['', /the table is empty; write a line "path,label"/],
    ['path,name\na/1.png,cat\n', /no column label among path, name/],
    ['picture,colour,size\nx,y,z\n', /no column path among picture, colour, size/],
    ['path,label\na/1.png,cat\nb/1.png,\n', /line 3 has no label/],
    ['path,label\na/1.png,cat\nb/1.png,cat\n', /only one class, cat; a classifier needs at least two/],
    ['path,label,split\na/1.png,cat,train\nb/1.png,dog,later\n', /line 3: split 'later' is none of train, val, test/],
    ['path,label\na/1.png,cat\nb/1.png,dog,extra\n', /labels.csv: .*Invalid Record Length.*line 3/],
    ['path,label\na/1.png,"cat\n', /labels.csv: .*Quote Not Closed/],
  ])('%j is refused', async (table, message) => {
    const root = await folderWith(table);
    await expect(openDataset(join(root, 'labels.csv'), { home })).rejects.toThrow(message);
  });

  test('a class that the model does not know', async () => {
    const root = await folderWith('path,label\na/1.png,cat\nb/1.png,cow\n');
    await expect(openDataset(join(root, 'labels.csv'), { home, classes: ['cat', 'dog'] })).rejects.toThrow(
      'line 3: cow is not one of the classes cat, dog',
    );
  });
});
