// What `npm run conformance` says about the results of TensorFlow.js's specs, and how it compares them. Pure.

/**
 * @typedef {{ suite: string, name: string, passed: boolean, ms: number, message?: string }} Spec
 *   suite: the file's path under dist/ops without "_test.js"
 * @typedef {{ backend: string, adapter: string, overallStatus: string, incompleteReason?: string, specs: Spec[] }} Result
 * @typedef {{ specs: number, failures: Record<string, string> }} Expected
 *   specs: how many there are; failures: "suite: name" of each that is known to fail, with the reason
 * @typedef {{ regressions: string[], newPasses: string[], missing: string[], count: string | undefined, isWorse: boolean }} Comparison
 */

/**
 * Whether a file under dist/ops is a suite that counts: all of them but those of functions of strings and of
 * pixels, which need a browser's canvas.
 * @param {string} path
 */
export const isSelected = (path) => /_test\.js$/.test(path) && !/string_|pixels/.test(path);

/** @param {Spec} spec */
const keyOf = ({ suite, name }) => `${suite}: ${name}`;

/**
 * @param {Result} result of all specs
 * @param {Expected} expected
 * @returns {Comparison}
 */
export function compareWithExpected({ specs }, expected) {
  const failed = new Set(specs.filter(({ passed }) => !passed).map(keyOf));
  const present = new Set(specs.map(keyOf));
  const known = Object.keys(expected.failures);
  const regressions = [...failed].filter((key) => !Object.hasOwn(expected.failures, key));
  const count =
    specs.length === expected.specs
      ? undefined
      : `there are ${specs.length} specs, and the list is of ${expected.specs}`;
  return {
    regressions,
    newPasses: known.filter((key) => present.has(key) && !failed.has(key)),
    missing: known.filter((key) => !present.has(key)),
    count,
    isWorse: regressions.length > 0 || specs.length < expected.specs,
  };
}

/**
 * @param {Result} result
 * @param {Comparison} [comparison] undefined where only some specs ran
 * @returns {string[]}
 */
export function reportLines({ backend, adapter, overallStatus, incompleteReason, specs }, comparison) {
  /** @type {Map<string, Spec[]>} */
  const suites = new Map();
  for (const spec of specs) suites.set(spec.suite, [...(suites.get(spec.suite) ?? []), spec]);
  const width = Math.max(0, ...[...suites.keys()].map((suite) => suite.length));
  const lines = [...suites].flatMap(([suite, own]) => {
    const failed = own.filter(({ passed }) => !passed);
    const ms = own.reduce((sum, spec) => sum + spec.ms, 0);
    return [
      `${failed.length > 0 ? 'FAIL' : ' ok '} ${suite.padEnd(width)} ${String(own.length - failed.length).padStart(4)} of ${String(own.length).padStart(4)} ${String(ms).padStart(6)} ms`,
      ...failed.map(({ name, message = '' }) => `       ${name}: ${firstLine(message)}`),
    ];
  });
  const passed = specs.filter((spec) => spec.passed).length;
  lines.push('', `${passed} of ${specs.length} specs passed on ${backend}; adapter: ${adapter}`);
  if (incompleteReason) lines.push(`jasmine says ${overallStatus}: ${incompleteReason}`);
  if (comparison) lines.push(...comparisonLines(comparison));
  return lines;
}

/** @param {Comparison} comparison */
function comparisonLines({ regressions, newPasses, missing, count }) {
  const lines = [];
  for (const key of regressions) lines.push(`regression: ${key}`);
  for (const key of newPasses) lines.push(`passes now (take it off the list with --update): ${key}`);
  for (const key of missing) lines.push(`on the list, but there is no such spec: ${key}`);
  if (count) lines.push(`${count} (--update writes a new one)`);
  if (lines.length === 0) lines.push('as in packages/kernels/conformance/expected.json');
  return lines;
}

/** @param {string} message */
const firstLine = (message) => message.split('\n')[0]?.slice(0, 160) ?? '';
