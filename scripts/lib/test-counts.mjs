// Counts of a test run and the line that reports them.
import { readFileSync } from 'node:fs';

/** @typedef {{ passed: number, failed: number, skipped: number }} TestCounts */

/** @param {TestCounts} counts */
export function countsLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

/** What countsLine wrote. @param {string} line @returns {TestCounts} @throws {Error} where it is none */
export function readCountsLine(line) {
  const match = /^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/.exec(line.trim());
  if (match === null) throw new Error(`'${line.trim()}' counts no tests`);
  return { passed: Number(match[1]), failed: Number(match[2]), skipped: Number(match[3] ?? 0) };
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

/** @param {TestCounts} a @param {TestCounts} b @returns {TestCounts} */
export const addCounts = (a, b) => ({
  passed: a.passed + b.passed,
  failed: a.failed + b.failed,
  skipped: a.skipped + b.skipped,
});

/** What counts-reporter.mjs wrote; null where the run did not get to its end. @param {string} path @returns {TestCounts | null} */
export function readCounts(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return null;
  }
}
