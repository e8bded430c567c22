// A series of numbers as a line of blocks.
const BLOCKS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/** From the lowest value, ▁, to the highest, █, in at most `width` characters: of more values, each stands for the mean of several. */
export function sparkline(values: readonly number[], width: number): string {
  const finite = values.filter(Number.isFinite);
  const columns = Math.min(width, finite.length);
  const means = Array.from({ length: columns }, (_, i) => {
    const part = finite.slice(
      Math.floor((i * finite.length) / columns),
      Math.floor(((i + 1) * finite.length) / columns),
    );
    return part.reduce((sum, value) => sum + value, 0) / part.length;
  });
  const [low, high] = [Math.min(...means), Math.max(...means)];
  const range = high - low;
  return means
    .map((value) => BLOCKS[range === 0 ? 0 : Math.round(((value - low) / range) * (BLOCKS.length - 1))])
    .join('');
}
