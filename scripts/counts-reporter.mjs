// A vitest reporter that writes how many tests passed, failed and were skipped to the file $THAW_TEST_COUNTS.
import { writeFileSync } from 'node:fs';
import { countTests } from './lib/test-counts.mjs';

export default class CountsReporter {
  /** @param {readonly import('vitest/node').TestModule[]} modules @param {readonly unknown[]} unhandledErrors */
  onTestRunEnd(modules, unhandledErrors) {
    const path = process.env.THAW_TEST_COUNTS;
    if (path === undefined) return;
    const tests = modules.flatMap((module) => [...module.children.allTests()].map((test) => test.result()));
    // Errors of a file, of a suite or of a hook, which no test of their own carries.
    const suites = modules.flatMap((module) => [module, ...module.children.allSuites()]);
    const outside = suites.filter((suite) => suite.errors().length > 0).length;
    writeFileSync(path, JSON.stringify(countTests(tests, outside + unhandledErrors.length)));
  }
}
