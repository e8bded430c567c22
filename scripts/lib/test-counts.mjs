// Counts of a test run and the line that reports them.

/** @typedef {{ passed: number, failed: number, skipped: number }} TestCounts */

/** @param {TestCounts} counts */
export function countsLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

/**
 * Counts tests by state. A file that could not be loaded, and an error outside any test, count as one failure each.
 * @param {Iterable<{ state: 'passed' | 'failed' | 'skipped' | 'pending' }>} tests
 * @param {number} otherErrors
 * @returns {TestCounts}
 */
export function countTests(tests, otherErrors) {
  const counts = { passed: 0, failed: otherErrors, skipped: 0 };
  for (const { state } of tests) {
    // A test still pending at the end was cut off by a bail-out or an interruption.
    if (state === 'passed') counts.passed += 1;
    else if (state === 'skipped') counts.skipped += 1;
    else counts.failed += 1;
  }
  return counts;
}
