// Progress of what is counted in bytes: downloads, shards that are looked through.
import type { Output } from '../output.ts';
import { bytes, percent } from '../text/format.ts';

/** What is done to the bytes. */
export type ByteActivity = 'download' | 'index';
const WORDS: Readonly<Record<ByteActivity, string>> = { download: 'downloading', index: 'looking through' };

export interface ByteProgress {
  /** @param activity default download */
  start(name: string, activity?: ByteActivity): void;
  update(received: number, total: number | null): void;
  stop(): void;
}

/** On a terminal one line that rewrites itself; elsewhere a line every 10 %. */
export function byteProgress(output: Output, now: () => number = () => performance.now()): ByteProgress {
  let name = '';
  let activity: ByteActivity = 'download';
  let shownAt = -Infinity;
  let shownTenth = -1;
  const { sink, isTerminal, quiet } = output;
  const clear = (): void => {
    if (isTerminal && !quiet) sink.write('\r\u001b[2K');
  };
  return {
    start(what, does = 'download') {
      name = what;
      activity = does;
      shownTenth = -1;
      output.event(activity, { file: name, state: 'started' });
      if (!isTerminal) output.say(`${WORDS[activity]} ${name}`);
    },
    update(received, total) {
      const share = total ? received / total : undefined;
      if (isTerminal && !quiet) {
        if (now() - shownAt < 100) return;
        shownAt = now();
        const of = total === null ? '' : ` of ${bytes(total)}  ${percent(share ?? 0, 0)}`;
        clear();
        sink.write(`${WORDS[activity]} ${name}  ${bytes(received)}${of}`.slice(0, output.width - 1));
      } else if (share !== undefined && Math.floor(share * 10) > shownTenth) {
        shownTenth = Math.floor(share * 10);
        if (shownTenth > 0) output.say(`  ${percent(share, 0)} of ${bytes(total ?? received)}`);
      }
    },
    stop() {
      clear();
      output.event(activity, { file: name, state: 'ended' });
    },
  };
}
