// L-BFGS (Liu and Nocedal 1989; the two loops are algorithm 7.4 of Nocedal and Wright, Numerical Optimization, 2006) with
// backtracking to Armijo's condition, for smooth convex functions. Where rounding hides the fall of the value, the slope along
// the step decides (the approximate Wolfe condition of Hager and Zhang 2005, equation 4.1).

/** A function's value and gradient. */
export interface Evaluated {
  readonly value: number;
  readonly gradient: Float64Array;
}

/** When to stop. */
export interface LbfgsOptions {
  /** Default 200. */
  readonly iterations?: number;
  /** Stops where no part of the gradient is larger; default 1e-4, scikit-learn's. */
  readonly tolerance?: number;
  /** Called after each iteration. */
  readonly onIteration?: ((iteration: number, value: number) => void | Promise<void>) | undefined;
}

/** Where it ended. */
export interface Minimum {
  readonly x: Float64Array;
  readonly value: number;
  readonly iterations: number;
  /** Whether the gradient fell below the tolerance. */
  readonly converged: boolean;
}

/** Pairs of steps and gradients' changes that are remembered. */
const MEMORY = 10;
/** Share of the fall that the slope promises which a step must bring (Nocedal and Wright, 3.1). */
const ARMIJO = 1e-4;
const HALVINGS = 30;
/** Share of a value that rounding may hide: sums in float32. */
const ROUNDING = 1e-6;

/** Minimises a function from `start`. It ends early where float32 in the function hides any further fall. */
export async function lbfgs(
  evaluate: (x: Float64Array) => Promise<Evaluated>,
  start: Float64Array,
  { iterations = 200, tolerance = 1e-4, onIteration }: LbfgsOptions = {},
): Promise<Minimum> {
  let x = start;
  let { value, gradient } = await evaluate(x);
  const pairs: { s: Float64Array; y: Float64Array; rho: number }[] = [];
  const converged = (): boolean => gradient.every((part) => Math.abs(part) <= tolerance);
  let iteration = 0;
  for (; iteration < iterations && !converged(); iteration++) {
    const direction = twoLoops(gradient, pairs);
    const slope = dot(direction, gradient);
    // Without a memory the gradient has no scale: its first step is of length 1 at most.
    let length = pairs.length === 0 ? Math.min(1, 1 / Math.sqrt(dot(gradient, gradient))) : 1;
    let next: { x: Float64Array; evaluated: Evaluated } | undefined;
    for (let halving = 0; halving < HALVINGS && !next; halving++, length /= 2) {
      const tried = x.map((part, i) => part + length * (direction[i] ?? 0));
      const evaluated = await evaluate(tried);
      const falls = evaluated.value <= value + ARMIJO * length * slope;
      const isLevel = evaluated.value <= value + ROUNDING * Math.abs(value);
      const flattens = dot(direction, evaluated.gradient) <= (2 * ARMIJO - 1) * slope;
      if (falls || (isLevel && flattens)) next = { x: tried, evaluated };
    }
    if (!next) break;
    const { evaluated } = next;
    const before = { x, gradient };
    const moved = next.x.map((part, i) => part - (before.x[i] ?? 0));
    const turned = evaluated.gradient.map((part, i) => part - (before.gradient[i] ?? 0));
    const curvature = dot(moved, turned);
    // Rounding can make a flat direction look bent the wrong way.
    if (curvature > 1e-12 * dot(turned, turned)) pairs.push({ s: moved, y: turned, rho: 1 / curvature });
    if (pairs.length > MEMORY) pairs.shift();
    x = next.x;
    ({ value, gradient } = evaluated);
    await onIteration?.(iteration + 1, value);
  }
  return { x, value, iterations: iteration, converged: converged() };
}

/** The gradient times what the pairs tell of the inverse Hessian, downhill. */
function twoLoops(
  gradient: Float64Array,
  pairs: readonly { s: Float64Array; y: Float64Array; rho: number }[],
): Float64Array {
  const q = gradient.slice();
  const alphas: number[] = [];
  for (const { s, y, rho } of pairs.toReversed()) {
    const alpha = rho * dot(s, q);
    alphas.push(alpha);
    addScaled(q, y, -alpha);
  }
  const last = pairs.at(-1);
  if (last) scale(q, dot(last.s, last.y) / dot(last.y, last.y));
  for (const { s, y, rho } of pairs) addScaled(q, s, (alphas.pop() ?? 0) - rho * dot(y, q));
  return scale(q, -1);
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0);
  return sum;
}

function addScaled(to: Float64Array, x: Float64Array, factor: number): void {
  for (let i = 0; i < to.length; i++) to[i] = (to[i] ?? 0) + factor * (x[i] ?? 0);
}

function scale(x: Float64Array, factor: number): Float64Array {
  for (let i = 0; i < x.length; i++) x[i] = factor * (x[i] ?? 0);
  return x;
}
