// The line of a training: loss, accuracy and validation accuracy by epoch, as an SVG that grows.

const WIDTH = 600;
const HEIGHT = 160;
const SVG = 'http://www.w3.org/2000/svg';

/** @typedef {import('@thaw/model').EpochRecord} EpochRecord */

export class Chart {
  /** @param {HTMLElement} figure @param {number} epochs */
  constructor(figure, epochs) {
    this.epochs = epochs;
    /** @type {EpochRecord[]} */
    this.records = [];
    const svg = document.createElementNS(SVG, 'svg');
    svg.setAttribute('viewBox', `0 0 ${WIDTH} ${HEIGHT}`);
    svg.setAttribute('preserveAspectRatio', 'none');
    svg.setAttribute('role', 'img');
    svg.setAttribute('aria-label', 'Loss and accuracy by epoch');
    for (const y of [0, HEIGHT / 2, HEIGHT]) {
      const line = document.createElementNS(SVG, 'line');
      line.setAttribute('class', 'frame');
      line.setAttribute('x2', String(WIDTH));
      for (const end of ['y1', 'y2']) line.setAttribute(end, String(y));
      svg.append(line);
    }
    this.lines = ['loss', 'accuracy', 'validation'].map((name) => {
      const line = document.createElementNS(SVG, 'polyline');
      line.setAttribute('class', name);
      svg.append(line);
      return line;
    });
    this.caption = document.createElement('figcaption');
    figure.replaceChildren(svg, this.caption);
    figure.hidden = false;
  }

  /** @param {EpochRecord} record */
  add(record) {
    this.records.push(record);
    // The loss starts at the top, accuracies are shares of the whole height.
    const highest = Math.max(...this.records.map(({ loss }) => loss));
    const series = [
      this.records.map(({ loss }) => loss / highest),
      this.records.map(({ accuracy }) => accuracy),
      this.records.flatMap(({ validationAccuracy }) => validationAccuracy ?? []),
    ];
    series.forEach((values, i) => {
      const points = values.map((value, epoch) => {
        const x = (WIDTH * epoch) / Math.max(1, this.epochs - 1);
        return `${x.toFixed(1)},${(HEIGHT * (1 - value)).toFixed(1)}`;
      });
      this.lines[i]?.setAttribute('points', points.join(' '));
    });
    const percent = (/** @type {number} */ share) => `${(100 * share).toFixed(0)} %`;
    const { loss, accuracy, validationAccuracy } = record;
    const texts = [
      ['loss', `loss ${loss.toFixed(3)}`],
      ['accuracy', `accuracy ${percent(accuracy)}`],
      ...(validationAccuracy === undefined
        ? []
        : [['validation', `on held-out images ${percent(validationAccuracy)}`]]),
    ];
    this.caption.replaceChildren(
      ...texts.map(([name = '', text = '']) => {
        const span = document.createElement('span');
        span.className = name;
        span.textContent = text;
        return span;
      }),
    );
  }
}
