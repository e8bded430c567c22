// How results of TensorFlow.js's specs are selected, compared with the list of known failures and reported.
import { describe, expect, test } from 'vitest';
import { compareWithExpected, isSelected, reportLines } from '../scripts/lib/conformance-report.mjs';

const spec = (name: string, passed: boolean) => ({ suite: 'abs', name, passed, ms: 1, ...(passed ? {} : { message: `${name} is wrong\nat line 3` }) }); // prettier-ignore
const result = (...specs: ReturnType<typeof spec>[]) => ({ backend: 'thaw', adapter: 'a', overallStatus: 'failed', specs }); // prettier-ignore

test('suites of string functions and of pixels are left out, everything else that is a suite counts', () => {
  const files = ['abs_test.js', 'image/crop_and_resize_test.js', 'string/static_regex_replace_test.js', 'string/string_split_test.js', 'from_pixels_test.js', 'abs.js', 'abs_test.d.ts']; // prettier-ignore
  expect(files.filter(isSelected)).toEqual(files.slice(0, 3));
});

describe('the comparison with the list', () => {
  const expected = { specs: 3, failures: { 'abs: a': 'why' } };

  test('is content with what the list says', () => {
    const comparison = compareWithExpected(result(spec('a', false), spec('b', true), spec('c', true)), expected);
    expect(comparison).toMatchObject({ regressions: [], newPasses: [], missing: [], count: undefined, isWorse: false });
  });

  test('names regressions and new passes', () => {
    const comparison = compareWithExpected(result(spec('a', true), spec('b', false), spec('c', true)), expected);
    expect(comparison).toMatchObject({ regressions: ['abs: b'], newPasses: ['abs: a'], isWorse: true });
  });

  test('does not take a spec that is not there for a pass', () => {
    const comparison = compareWithExpected(result(spec('b', true), spec('c', true)), expected);
    expect(comparison).toMatchObject({ newPasses: [], missing: ['abs: a'], isWorse: true });
    expect(comparison.count).toBe('there are 2 specs, and the list is of 3');
  });
});

test('the report counts by suite and shows the first line of each failure', () => {
  const specs = result(spec('a', true), spec('b', false));
  const text = reportLines(specs, compareWithExpected(specs, { specs: 2, failures: {} })).join('\n');
  expect(text).toContain('FAIL abs    1 of    2      2 ms\n       b: b is wrong\n');
  expect(text).toContain('1 of 2 specs passed on thaw; adapter: a');
  expect(text).toContain('regression: abs: b');
});
