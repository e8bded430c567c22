// A freeze spec says which layers train. Its parts, separated by commas, add up:
//   none, all
//   a stage or block and everything above it   conv5   conv4_block6
//   one layer by its name                      conv1_conv
//   a Python slice of the layer list           -42:   :-42   10:20   ::2
//   a regular expression found in the name     /_bn$/   (also bare, if it has one of ^ $ . * + ? ( ) [ ] { } | \)
import type { Layer } from '../resnet50/layer-table.ts';
import { nearest } from './nearest.ts';
import { parseSlice, sliceIndices } from './python-slice.ts';

/** A freeze spec that names nothing, or cannot be read. */
export class FreezeSpecError extends Error {
  override readonly name = 'FreezeSpecError';
}

/**
 * Names of the layers that train. Slices index `table` as Keras indexes `model.layers`, so pass the table without top
 * (175 layers) for `-42:` to mean what it means there.
 *
 * @throws FreezeSpecError naming the part that is wrong, and what is valid.
 */
export function resolveFreeze(spec: string, table: readonly Layer[]): ReadonlySet<string> {
  const parts = splitParts(spec);
  const chosen = new Set<number>();
  for (const part of parts) for (const index of resolvePart(part, table)) chosen.add(index);
  return new Set(table.filter((_, index) => chosen.has(index)).map(({ name }) => name));
}

/** Names that a spec may use for "this and everything above": stages and blocks, in order. */
export function blockNames(table: readonly Layer[]): string[] {
  const names = new Set<string>();
  for (const { name } of table) {
    const match = /^(conv\d+)(_block\d+)?/.exec(name);
    if (match?.[1]) names.add(match[1]);
    if (match?.[2]) names.add(match[0]);
  }
  return [...names];
}

function resolvePart(part: string, table: readonly Layer[]): number[] {
  const all = table.map(({ index }) => index);
  if (part === 'none') return [];
  if (part === 'all') return all;
  if (part.startsWith('/')) return matching(part, regularExpression(part), table);
  if (blockNames(table).includes(part)) {
    const first = table.findIndex(({ name }) => name.startsWith(`${part}_`));
    return all.slice(first);
  }
  const named = table.find(({ name }) => name === part);
  if (named) return [named.index];
  if (part.includes(':')) return sliced(part, table.length);
  if (/[\^$.*+?()[\]{}|\\]/.test(part)) return matching(part, regularExpression(`/${part}/`), table);
  throw unknownName(part, table);
}

function sliced(part: string, length: number): number[] {
  const slice = parseSlice(part);
  if (slice === undefined) {
    throw new FreezeSpecError(
      `Freeze spec '${part}': not a slice of layers; write start:stop or start:stop:step in whole numbers, as -42: or :-42.`,
    );
  }
  if (slice.step === 0) throw new FreezeSpecError(`Freeze spec '${part}': a slice's step cannot be 0.`);
  const indices = sliceIndices(slice, length);
  if (indices.length === 0) {
    throw new FreezeSpecError(
      `Freeze spec '${part}': this slice of ${length} layers (0 to ${length - 1}) is empty; write none to freeze every layer.`,
    );
  }
  return indices;
}

function matching(part: string, expression: RegExp, table: readonly Layer[]): number[] {
  const indices = table.filter(({ name }) => expression.test(name)).map(({ index }) => index);
  if (indices.length === 0) {
    throw new FreezeSpecError(
      `Freeze spec '${part}': no layer's name matches; names are like conv4_block6_2_bn (thaw summary lists all).`,
    );
  }
  return indices;
}

function regularExpression(part: string): RegExp {
  const match = /^\/(.+)\/(i?)$/s.exec(part);
  if (!match)
    throw new FreezeSpecError(`Freeze spec '${part}': a regular expression is written /pattern/ or /pattern/i.`);
  try {
    return new RegExp(match[1] ?? '', match[2]);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new FreezeSpecError(`Freeze spec '${part}': ${reason}.`);
  }
}

function unknownName(part: string, table: readonly Layer[]): FreezeSpecError {
  const blocks = blockNames(table);
  const guess = nearest(part, ['none', 'all', ...blocks, ...table.map(({ name }) => name)]);
  const meant = guess === undefined ? '' : ` Did you mean ${guess}?`;
  const pattern = table.some(({ name }) => name.includes(part))
    ? ` For every layer with '${part}' in its name write /${part}/.`
    : '';
  return new FreezeSpecError(
    `Freeze spec '${part}': no such block or layer.${meant}${pattern} Valid: none, all, a block and above ` +
      `(${blocks.join(', ')}), a layer's name, a slice such as -42: or :-42, a regular expression such as /_bn$/.`,
  );
}

/** Splits at commas, but not inside /.../. */
function splitParts(spec: string): string[] {
  const parts = [''];
  let slashes = 0;
  for (let position = 0; position < spec.length; position++) {
    const character = spec.charAt(position);
    const insideExpression = slashes % 2 === 1;
    if (character === ',' && !insideExpression) {
      parts.push('');
      slashes = 0;
      continue;
    }
    const part = parts[parts.length - 1] ?? '';
    if (character === '/' && spec[position - 1] !== '\\' && (slashes > 0 || part.trim() === '')) slashes++;
    parts[parts.length - 1] = part + character;
  }
  const trimmed = parts.map((part) => part.trim());
  if (trimmed.includes('')) {
    const what = trimmed.length === 1 ? 'it is empty' : 'a part between commas is empty';
    throw new FreezeSpecError(`Freeze spec '${spec}': ${what}; write none to freeze every layer.`);
  }
  return trimmed;
}
