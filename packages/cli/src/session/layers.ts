// What trains, compactly: consecutive blocks in the same state are one row, the head is the last.
import { summary, type BatchNormPolicy, type Layer } from '@thaw/model';
import { count } from '../text/format.ts';
import { table } from '../text/table.ts';
import type { Colors } from '../output.ts';

export interface LayerGroup {
  /** "conv1", "conv4_block6 to conv5_block3", "head". */
  readonly name: string;
  readonly layers: number;
  readonly trains: 'all' | 'some' | 'none';
  /** Which statistics its batch-norms run on while training. */
  readonly batchNorm: string;
  readonly parameters: number;
  readonly trainable: number;
}

export interface HeadSize {
  /** "linear", "32, 16, 8". */
  readonly name: string;
  readonly layers: number;
  readonly parameters: number;
}

export function layerGroups(
  layers: readonly Layer[],
  trainable: ReadonlySet<string>,
  policy: BatchNormPolicy,
  head?: HeadSize,
): LayerGroup[] {
  const blocks = new Map<string, Layer[]>();
  for (const layer of layers) {
    const name = /^conv\d+_block\d+/.exec(layer.name)?.[0] ?? 'stem';
    const block = blocks.get(name);
    if (block) block.push(layer);
    else blocks.set(name, [layer]);
  }
  const groups: (LayerGroup & { first: string })[] = [];
  for (const [first, members] of blocks) {
    const one = groupOf(first, members, trainable, policy);
    const before = groups.at(-1);
    if (before?.trains === one.trains && before.batchNorm === one.batchNorm) {
      groups[groups.length - 1] = {
        ...before,
        name: `${before.first} to ${first}`,
        layers: before.layers + one.layers,
        parameters: before.parameters + one.parameters,
        trainable: before.trainable + one.trainable,
      };
    } else groups.push({ ...one, first });
  }
  const rows: LayerGroup[] = groups.map(({ first: _, ...group }) => group);
  if (head)
    rows.push({
      name: `head (${head.name})`,
      layers: head.layers,
      trains: 'all',
      batchNorm: '',
      parameters: head.parameters,
      trainable: head.parameters,
    });
  return rows;
}

function groupOf(
  name: string,
  members: readonly Layer[],
  trainable: ReadonlySet<string>,
  policy: BatchNormPolicy,
): LayerGroup {
  const { rows, totals } = summary(members, trainable, policy);
  const weighted = rows.filter(({ parameters }) => parameters > 0);
  const training = weighted.filter((row) => row.trainable).length;
  const modes = new Set(rows.flatMap(({ batchNorm }) => batchNorm ?? []));
  return {
    name,
    layers: members.length,
    trains: training === 0 ? 'none' : training === weighted.length ? 'all' : 'some',
    batchNorm: [...modes].join(' and '),
    parameters: totals.parameters,
    trainable: totals.trainable,
  };
}

/** Columns that all of the table takes; a narrower one has what trains alone. */
const WHOLE = 76;

/** The groups as a table with totals. @param width of the terminal */
export function layerGroupTable(groups: readonly LayerGroup[], width: number, colors?: Colors): string {
  const sum = (pick: (group: LayerGroup) => number): number => groups.reduce((total, group) => total + pick(group), 0);
  const right = 'right' as const;
  const bold = colors?.bold ?? ((text: string) => text);
  const rows = groups.map(({ name, layers, trains, batchNorm, parameters, trainable }) => [
    name,
    count(layers),
    trains === 'none' ? 'frozen' : trains === 'all' ? bold('trains') : 'in part',
    batchNorm,
    count(parameters),
    count(trainable),
  ]);
  if (width < WHOLE)
    return table(
      [{ title: 'layers' }, { title: 'trainable', align: right }],
      groups.map(({ name, trainable }) => [name, count(trainable)]),
      colors,
    );
  return table(
    [
      { title: 'layers' },
      { title: 'number', align: right },
      { title: 'state' },
      { title: 'batch-norm' },
      { title: 'parameters', align: right },
      { title: 'trainable', align: right },
    ],
    [
      ...rows,
      [
        'total',
        count(sum(({ layers }) => layers)),
        '',
        '',
        count(sum(({ parameters }) => parameters)),
        count(sum(({ trainable }) => trainable)),
      ],
    ],
    colors,
  );
}
