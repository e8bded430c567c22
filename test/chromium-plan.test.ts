// What Thaw does about a missing browser, by system.
import { expect, test } from 'vitest';
import { planChromium } from '../scripts/lib/chromium.mjs';
import { addCounts, countsLine, readCountsLine } from '../scripts/lib/test-counts.mjs';
import { parseOsRelease } from '../scripts/lib/vulkan-plan.mjs';

const plan = (platform: string, release = '', isRoot = false, hasSudo = false) =>
  planChromium({ platform, os: parseOsRelease(release), isRoot, hasSudo });

test('installed as root on Debian, and nowhere else', () => {
  expect(plan('linux', 'ID=debian', true)).toEqual({ kind: 'apt' });
  expect(plan('linux', 'ID=debian', false, true)).toMatchObject({ kind: 'advice', text: expect.stringMatching(/^sudo apt-get install .* chromium$/) as unknown }); // prettier-ignore
  for (const [system, word] of [['ID=ubuntu', 'Google Chrome'], ['ID=linuxmint\nID_LIKE=ubuntu', 'Google Chrome'], ['ID=fedora', 'package manager']] as const) // prettier-ignore
    expect(plan('linux', system, true)).toMatchObject({ kind: 'advice', text: expect.stringContaining(word) as unknown }); // prettier-ignore
  expect(plan('darwin')).toMatchObject({ text: expect.stringContaining('brew') as unknown });
  expect(plan('win32')).toMatchObject({ text: expect.stringContaining('winget') as unknown });
});

test('counts of two runs add up', () => {
  expect(addCounts({ passed: 1, failed: 2, skipped: 3 }, { passed: 10, failed: 0, skipped: 1 })).toEqual({ passed: 11, failed: 2, skipped: 4 }); // prettier-ignore
});

test.each([
  { passed: 12, failed: 0, skipped: 0 },
  { passed: 0, failed: 1, skipped: 3 },
])('a line of counts is read as it was written: %j', (counts) => {
  expect(readCountsLine(`${countsLine(counts)}\n`)).toEqual(counts);
  expect(() => readCountsLine('no tests')).toThrow("'no tests' counts no tests");
});
