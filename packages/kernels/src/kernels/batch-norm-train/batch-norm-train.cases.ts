/** Shapes of batch-norm: primes, ones, and ResNet-50's own layers at a small batch. */
export interface BatchNormCase {
  readonly name: string;
  readonly shape: readonly [number, number, number, number];
  readonly relu: boolean;
  readonly residual: boolean;
}

const layer = (
  name: string,
  batch: number,
  size: number,
  channels: number,
  relu = false,
  residual = false,
): BatchNormCase => ({
  name,
  shape: [batch, size, size, channels],
  relu,
  residual,
});

export const cases = [
  layer('one of everything', 1, 1, 1),
  layer('primes', 3, 7, 5, true, true),
  layer('more channels than a tile, primes', 2, 11, 37, true),
  layer('many chunks, primes', 5, 61, 3, false, true),
  layer('one row of four channels', 1, 1, 4, true),
  layer('five fours of channels, primes', 3, 7, 20, true, true),
  layer('37 fours of channels, primes', 2, 11, 148, true),
  layer('three fours of channels, many rows', 5, 61, 12, false, true),
  layer('stem at 32x32', 4, 16, 64, true),
  layer('conv2 reduced at 8x8', 32, 8, 64, true),
  layer('conv2 expanded at 56x56', 1, 56, 256, true, true),
  layer('conv5 reduced at 7x7', 2, 7, 512, true),
  layer('conv5 expanded at 1x1 image', 8, 1, 2048, true, true),
] as const satisfies readonly BatchNormCase[];

/** Those that one dispatch can do: four channels to a thread. */
export const wholeCases = cases.filter(({ shape: [, , , channels] }) => channels % 4 === 0);

/** Those among them that many tilings may be tried on. */
export const quickCases = wholeCases.filter(({ shape: [batch, height, width, channels] }) => batch * height * width * channels < 2 ** 18); // prettier-ignore
