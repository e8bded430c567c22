// The shell of every page that Thaw writes: one file that holds all it shows and asks the network for nothing.
import { escape, scriptJson } from './escape.ts';
import common from './client/common.client.js?raw';
import css from './client/report.css?raw';

export interface Page {
  readonly title: string;
  /** HTML: header, sections, footer. */
  readonly body: string;
  /** What the scripts read. */
  readonly data: unknown;
  /** The text of each, run in this order after chart.js. */
  readonly scripts: readonly string[];
}

/** @param chartJs the text of chart.js's UMD build, safe inside a script element */
export function pageHtml({ title, body, data, scripts }: Page, chartJs: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:">
<link rel="icon" href="data:,">
<title>${escape(title)}</title>
<style>${css}</style>
</head>
<body>
<main>
${body}
</main>
<script type="application/json" id="data">${scriptJson(data)}</script>
${[chartJs, common, ...scripts].map((script) => `<script>${script}</script>`).join('\n')}
</body>
</html>
`;
}

/** Labels and values as the inside of a list. */
export const facts = (pairs: readonly (readonly [string, string])[]): string =>
  pairs.map(([label, value]) => `<dt>${escape(label)}</dt><dd>${escape(value)}</dd>`).join('');

/** "thaw 0.1.0, node 22.11.0". */
export const versionsText = (versions: Readonly<Record<string, string>>): string =>
  Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ');

/** As a person reads it: "26 November 2026 at 02:30". */
export const dateText = (iso: string): string =>
  new Date(iso).toLocaleString('en-GB', { dateStyle: 'long', timeStyle: 'short' });
