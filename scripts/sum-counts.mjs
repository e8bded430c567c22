// Prints the last lines of `npm test` and `npm run test:browser` added up; one that is missing counts as a failure.
import { readFileSync } from 'node:fs';
import { inRoot } from './lib/paths.mjs';
import { addCounts, countsLine, readCountsLine } from './lib/test-counts.mjs';

const sum = ['test-line.txt', 'browser-test-line.txt']
  .map((name) => {
    try {
      return readCountsLine(readFileSync(inRoot('.tools', name), 'utf8'));
    } catch {
      return { passed: 0, failed: 1, skipped: 0 };
    }
  })
  .reduce(addCounts);
process.stdout.write(`${countsLine(sum)}\n`);
