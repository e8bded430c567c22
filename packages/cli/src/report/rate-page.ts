// The page of thaw find-lr: loss against learning rate.
import type { RateTest } from '@thaw/model';
import { shortRate } from '../text/rates.ts';
import client from './client/rates.client.js?raw';
import { escape } from './escape.ts';
import { pageHtml } from './page.ts';

export interface RatePage {
  readonly test: RateTest;
  readonly title: string;
  readonly commandLine: string;
}

/** @param chartJs the text of chart.js's UMD build, safe inside a script element */
export function ratePage({ test, title, commandLine }: RatePage, chartJs: string): string {
  const { steepest, diverged } = test;
  const said = [
    steepest === undefined
      ? 'The loss did not fall at any rate.'
      : `The loss falls the fastest at ${shortRate(steepest)}.`,
    diverged ? 'The test ended where it diverged.' : '',
  ];
  const body = `<header><h1>${escape(title)}</h1><p>${escape(said.filter(Boolean).join(' '))}</p></header>
<section><h2>Loss against learning rate</h2><div class="chart"><canvas id="rates"></canvas></div></section>
<section><h2>How it was made</h2><p><code>${escape(commandLine)}</code></p></section>
<footer>This page holds everything it shows and asks the network for nothing.</footer>`;
  return pageHtml({ title, body, data: test, scripts: [client] }, chartJs);
}
