// Shows progress: a bar that redraws itself on a terminal, now and then a line elsewhere, nothing with --quiet.
import { SingleBar } from 'cli-progress';
import type { Output } from '../output.ts';
import { barLine, progressLine, type Progress } from './line.ts';

/** Seconds between two plain lines. */
const PLAIN_EVERY = 10;

export interface Reporter {
  /** The newest state. */
  show(progress: Progress): void;
  /** A line of its own, above the bar. */
  note(text: string): void;
  /** Takes the bar away. */
  clear(): void;
}

export function createReporter(output: Output, now: () => number = () => performance.now() / 1000): Reporter {
  if (output.quiet) return { show: () => undefined, note: () => undefined, clear: () => undefined };
  return output.isTerminal ? new BarReporter(output) : new PlainReporter(output, now);
}

class BarReporter implements Reporter {
  #bar: SingleBar | undefined;
  #last: Progress | undefined;

  constructor(private readonly output: Output) {}

  show(progress: Progress): void {
    this.#last = progress;
    const { done, total } = progress;
    if (this.#bar) {
      this.#bar.setTotal(total);
      this.#bar.update(done);
      return;
    }
    this.#bar = new SingleBar({
      format: () => (this.#last ? this.#paint(this.#last) : ''),
      stream: isNodeStream(this.output.sink) ? this.output.sink : process.stderr,
      fps: 10,
      hideCursor: true,
      clearOnComplete: true,
      emptyOnZero: true,
      gracefulExit: false,
    });
    this.#bar.start(total, done);
  }

  note(text: string): void {
    this.clear();
    this.output.say(text);
  }

  clear(): void {
    this.#bar?.stop();
    this.#bar = undefined;
  }

  #paint(progress: Progress): string {
    const width = Math.max(20, (this.output.sink.columns ?? 80) - 1);
    const { colors } = this.output;
    return barLine(progress, width)
      .replace(/━+/, (filled) => colors.cyan(filled))
      .replace(/╌+/, (rest) => colors.dim(rest));
  }
}

class PlainReporter implements Reporter {
  #label = '';
  #shown = -Infinity;

  constructor(
    private readonly output: Output,
    private readonly now: () => number,
  ) {}

  show(progress: Progress): void {
    const time = this.now();
    const isNew = progress.label !== this.#label;
    if (isNew) {
      this.#label = progress.label;
      this.#shown = Math.max(this.#shown, time - PLAIN_EVERY + 2);
    }
    if (time - this.#shown < PLAIN_EVERY) return;
    this.#shown = time;
    this.output.say(progressLine(progress, this.output.width));
  }

  note(text: string): void {
    this.output.say(text);
    this.#shown = this.now();
  }

  clear(): void {
    this.#label = '';
  }
}

function isNodeStream(sink: unknown): sink is NodeJS.WritableStream {
  return typeof sink === 'object' && sink !== null && 'write' in sink && 'on' in sink;
}
