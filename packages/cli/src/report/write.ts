// Writes a report with chart.js inlined from the package.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { writeText } from '../runs/folder.ts';
import { reportHtml } from './html.ts';
import type { Report } from './types.ts';

export async function writeReport(path: string, report: Report): Promise<void> {
  // The package exports no path to its UMD build, but it lies beside its main file.
  const main = createRequire(import.meta.url).resolve('chart.js');
  const chartJs = await readFile(join(dirname(main), 'chart.umd.min.js'), 'utf8');
  await writeText(path, reportHtml(report, chartJs));
}
