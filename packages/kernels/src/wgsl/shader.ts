/**
 * A .wgsl file read as data: its bindings, the fields of its Params and its tunable constants.
 * The file stays valid WGSL as it lies; nothing of its layout is written a second time on the host.
 * `alias Name = f32; // @stored` (or vec4f) names the type that tensors of activations and weights are stored in: it is
 * rewritten to f16 (vec4h) where a plan says so, and the shader converts what it loads and stores, `f32(x[i])` and `Name(v)`.
 * `alias Name = f32; // @wide` (or u32) names what a thread computes at a time, one number or, as widen() makes of it, four.
 * `alias Name = vec4u; // @stored float16` names eight halves, in a shader that knows float16 alone.
 * A line `// @unrolled` asks for loops over arrays of functions to be written out before the shader is compiled (unroll.ts).
 */
export type BindingType = 'read' | 'read_write' | 'uniform';
export interface Binding {
  readonly name: string;
  readonly index: number;
  readonly type: BindingType;
  /** Bytes of one array element, in float32; a buffer bound here must hold a multiple of it. 0 for the uniform. */
  readonly stride: number;
  /** Type of the numbers that it holds; u32 also where a shader only moves bits. Undefined for the uniform. */
  readonly element: ParamType | 'stored' | undefined;
}
/** What the `// @stored` types of a shader are. */
export type Precision = 'float32' | 'float16';
export type ParamType = 'u32' | 'i32' | 'f32';

export interface Shader {
  readonly name: string;
  readonly source: string;
  readonly bindings: readonly Binding[];
  readonly params: readonly { readonly name: string; readonly type: ParamType }[];
  readonly tunables: Readonly<Record<string, number>>;
  readonly overrides: readonly string[];
  /** What its tensors may be stored in. */
  readonly precisions: readonly Precision[];
  /** Whether its loops over arrays are written out wherever it runs. */
  readonly unrolled: boolean;
}

const bindingPattern =
  /@group\(0\)\s*@binding\((\d+)\)\s*var<(storage, read_write|storage, read|uniform)>\s*(\w+)\s*:\s*([\w<>, ]+);/g;
const tunablePattern = /^const (\w+): u32 = (\d+)u;\s*\/\/ *@tune/gm;
const storedPattern = /^(alias (\w+) = )(f32|vec4f|vec4u)(;\s*\/\/ *@stored)/gm;
const widePattern = /^alias (\w+) = (f32|u32|vec4f|vec4u);\s*\/\/ *@wide/gm;
const HALF_TYPES = { f32: 'f16', vec4f: 'vec4h', vec4u: 'vec4u' } as const;

const typeOf = (space: string): BindingType =>
  space === 'uniform' ? 'uniform' : space === 'storage, read' ? 'read' : 'read_write';

const elementOf = (type: string): ParamType | undefined =>
  (['f32', 'i32', 'u32'] as const).find(
    (element) => type.includes(element) || type.includes(`vec4${element[0] ?? ''}`),
  );

/** The type that an alias stands for, and whether it is one of `// @stored`. */
function resolve(type: string, stored: ReadonlyMap<string, string>): { type: string; isStored: boolean } {
  const [, id = ''] = /^array<(\w+)/.exec(type) ?? [];
  const meant = stored.get(id);
  return { type: meant === undefined ? type : type.replace(id, meant), isStored: meant !== undefined };
}

function precisionsOf(stored: readonly string[]): Precision[] {
  if (stored.includes('vec4u')) return ['float16'];
  return stored.length > 0 ? ['float32', 'float16'] : ['float32'];
}

const strideOf = (type: string): number => (type.startsWith('array<') ? (/vec4/.test(type) ? 16 : 4) : 0);

/** Reads bindings, Params and tunables of a shader. @throws when Params holds anything but u32, i32 and f32. */
export function readShader(name: string, source: string): Shader {
  const code = source.replace(/\/\/(?! *@(tune|stored|wide)).*$/gm, '');
  const stored = new Map([...code.matchAll(storedPattern)].map(([, , id = '', type = '']) => [id, type]));
  const wide = new Map([...code.matchAll(widePattern)].map(([, id = '', type = '']) => [id, type]));
  const bindings = [...code.matchAll(bindingPattern)]
    .map(([, index = '', space = '', id = '', written = '']) => {
      const { type, isStored } = resolve(
        written.replace(/\w+(?=>)/, (name) => wide.get(name) ?? name),
        stored,
      );
      return {
        name: id,
        index: Number(index),
        type: typeOf(space),
        stride: strideOf(type),
        element: isStored ? ('stored' as const) : elementOf(type),
      };
    })
    .sort((a, b) => a.index - b.index);
  const body = /struct Params\s*{([^}]*)}/.exec(code)?.[1] ?? '';
  const params = body
    .split(',')
    .map((field) => field.trim())
    .filter((field) => field !== '')
    .map((field) => {
      const [, id, type] = /^(\w+)\s*:\s*(u32|i32|f32)$/.exec(field) ?? [];
      if (id === undefined || !(type === 'u32' || type === 'i32' || type === 'f32'))
        throw new Error(`${name}.wgsl: Params may hold only u32, i32 and f32 fields, found '${field}'`);
      return { name: id, type } as const;
    });
  const tunables = Object.fromEntries([...code.matchAll(tunablePattern)].map(([, id = '', v]) => [id, Number(v)]));
  const overrides = [...code.matchAll(/^override (\w+)\s*:/gm)].map(([, id = '']) => id);
  const unrolled = /^\/\/ @unrolled\b/m.test(source);
  return {
    name,
    source,
    bindings,
    params,
    tunables,
    overrides,
    precisions: precisionsOf([...stored.values()]),
    unrolled,
  };
}

/**
 * The source with its `// @tune` constants set and its `// @stored` types as `precision` says.
 * @throws on a name that the file does not declare, and on a precision that it does not have
 */
export function specialise(
  shader: Shader,
  tuning: Readonly<Record<string, number>>,
  precision: Precision = 'float32',
): string {
  let code = shader.source;
  if (!shader.precisions.includes(precision))
    throw new Error(
      precision === 'float16'
        ? `${shader.name}.wgsl has no type to store in float16 (alias … // @stored)`
        : `${shader.name}.wgsl stores in float16 alone`,
    );
  if (precision === 'float16') {
    const halved = code.replace(
      storedPattern,
      (_, start: string, _id: string, type: keyof typeof HALF_TYPES, end: string) => start + HALF_TYPES[type] + end,
    );
    code = `enable f16;\n${halved}`;
  }
  for (const [id, value] of Object.entries(tuning)) {
    if (!(id in shader.tunables))
      throw new Error(
        `${shader.name}.wgsl has no tunable '${id}' (it has ${Object.keys(shader.tunables).join(', ') || 'none'})`,
      );
    code = code.replace(new RegExp(`^(const ${id}: u32 = )\\d+u`, 'm'), `$1${value}u`);
  }
  return code;
}

/** Bytes of the uniform block: WGSL rounds a uniform struct up to 16. */
export const paramsSize = (shader: Shader): number => Math.max(16, Math.ceil(shader.params.length / 4) * 16);

/** Packs Params by field name into 4-byte slots. @throws on a missing or a surplus field. */
export function packParams(shader: Shader, values: Readonly<Record<string, number>>): ArrayBuffer {
  const bytes = new ArrayBuffer(paramsSize(shader));
  const data = new DataView(bytes);
  shader.params.forEach(({ name, type }, i) => {
    const value = values[name];
    if (value === undefined) throw new Error(`${shader.name}.wgsl: Params.${name} was not given`);
    if (type === 'f32') data.setFloat32(4 * i, value, true);
    else if (type === 'i32') data.setInt32(4 * i, value, true);
    else data.setUint32(4 * i, value, true);
  });
  const given = Object.keys(values);
  if (given.length !== shader.params.length) {
    const surplus = given.find((key) => !shader.params.some((p) => p.name === key));
    throw new Error(`${shader.name}.wgsl: Params has no field '${surplus}'`);
  }
  return bytes;
}
