/**
 * Writes out the loops over registers, for compilers that do not: where an array of a function is indexed by a loop's variable,
 * SwiftShader keeps it in memory and gathers every element lane by lane; by constants, it costs what variables cost. A product of
 * matrices of 2048 x 576 x 64 in 8 x 8 registers took 609 ms with loops and 50 without (Chromium 156, 2026-11-25, on a machine
 * at other work too). Mesa's compiler unrolls by itself. See docs/decisions/loops-in-swiftshader.md. NVIDIA's does not where the
 * elements are matrices of the matrix units: see docs/decisions/subgroup-matrix.md.
 *   for (var i = 0u; i < 2u; i++) { a[i] = f(i); }   becomes   { const i = 0u; a[i] = f(i); } { const i = 1u; a[i] = f(i); }
 */
const LOOP = /\bfor \(var (\w+) = 0u; \1 < ([^;]+); \1\+\+\) \{/g;

/** Bodies that hold one of these stay in their loops: a jump would leave one copy alone. */
const JUMPS = /\b(break|continue|return)\b/;
/** These stay too where `branches` is false: they are not where the time goes, and SwiftShader takes minutes to compile copies. */
const BRANCHES = /\b(break|continue|return|if|for|loop|while|switch)\b|&&|\|\|/;

/**
 * @param source WGSL, its `// @tune` constants set
 * @param branches whether bodies that branch are written out, too
 */
export function unroll(source: string, { branches = false } = {}): string {
  const code = source.replace(/\/\/.*$/gm, '');
  const constants = new Map<string, number>();
  for (const [, name = '', value = ''] of code.matchAll(/^const (\w+)(?:: u32)? = ([^;]+);/gm)) {
    const known = evaluate(value, constants);
    if (known !== undefined) constants.set(name, known);
  }
  // Arrays of functions; those of the module name where they lie, `var<workgroup>`. Built shaders have no indentation.
  const arrays = new Set([...code.matchAll(/^ *var (\w+): array</gm)].map(([, name = '']) => name));
  return unrolled(code, { constants, arrays, staying: branches ? JUMPS : BRANCHES });
}

/** What decides which loops are written out. */
interface Choice {
  readonly constants: ReadonlyMap<string, number>;
  /** Those whose elements are to be indexed by constants. */
  readonly arrays: ReadonlySet<string>;
  /** A body in which this is found stays in its loop. */
  readonly staying: RegExp;
}

function unrolled(code: string, choice: Choice): string {
  const { constants, arrays, staying } = choice;
  let done = '';
  let rest = code;
  for (;;) {
    LOOP.lastIndex = 0;
    const found = LOOP.exec(rest);
    if (!found) return done + rest;
    const [head, variable = '', bound = ''] = found;
    const start = found.index + head.length;
    const end = closing(rest, start);
    const body = unrolled(rest.slice(start, end), choice);
    const count = evaluate(bound, constants);
    const mustStay = count === undefined || staying.test(body) || !indexes(body, variable, arrays);
    const copies = Array.from({ length: count ?? 0 }, (_, i) => `{ const ${variable} = ${i}u;${body}}`);
    done += rest.slice(0, found.index) + (mustStay ? `${head}${body}}` : copies.join('\n'));
    rest = rest.slice(end + 1);
  }
}

/** Whether one of the arrays is indexed by the variable. */
const indexes = (body: string, variable: string, arrays: ReadonlySet<string>): boolean =>
  [...body.matchAll(/\b(\w+)\[([^[\]]*)\]/g)].some(
    ([, name = '', index = '']) => arrays.has(name) && new RegExp(`\\b${variable}\\b`).test(index),
  );

/** Where the block that has begun before `from` ends. */
function closing(code: string, from: number): number {
  let depth = 1;
  for (let at = from; at < code.length; at++) {
    if (code[at] === '{') depth++;
    else if (code[at] === '}' && --depth === 0) return at;
  }
  throw new Error('unroll: a loop does not end');
}

/** A constant expression of u32: sums and products of numbers and known names; undefined of anything else. */
export function evaluate(text: string, constants: ReadonlyMap<string, number>): number | undefined {
  const tokens = text.match(/\w+|[^\s\w]/g) ?? [];
  let at = 0;
  const product = (): number => {
    let value = atom();
    while (tokens[at] === '*' || tokens[at] === '/' || tokens[at] === '%') {
      const operator = tokens[at++];
      const right = atom();
      value = operator === '*' ? value * right : operator === '/' ? Math.floor(value / right) : value % right;
    }
    return value;
  };
  const sum = (): number => {
    let value = product();
    while (tokens[at] === '+' || tokens[at] === '-') value += tokens[at++] === '+' ? product() : -product();
    return value;
  };
  const atom = (): number => {
    const token = tokens[at++] ?? '';
    if (token === '(') {
      const value = sum();
      return tokens[at++] === ')' ? value : NaN;
    }
    return /^\d+u?$/.test(token) ? Number.parseInt(token, 10) : (constants.get(token) ?? NaN);
  };
  const value = sum();
  return at === tokens.length && Number.isFinite(value) ? value : undefined;
}
