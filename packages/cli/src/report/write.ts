// Writes a report with chart.js inlined.
import { writeText } from '../runs/folder.ts';
import { chartLibrary } from './chart-library.ts';
import { reportHtml } from './html.ts';
import type { Report } from './types.ts';

export async function writeReport(path: string, report: Report): Promise<void> {
  await writeText(path, reportHtml(report, await chartLibrary()));
}
