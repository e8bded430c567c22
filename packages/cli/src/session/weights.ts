// Chooses and loads the trunk's weights: a named file, what lies in THAW_HOME, or a download.
import { join } from 'node:path';
import { download } from '@thaw/data/node';
import { WEIGHT_FILES, type TrunkWeights, type WeightFile } from '@thaw/model';
import { findWeightsFile, loadWeights, MissingWeightsError } from '@thaw/model/node';
import { CommandError } from '../errors.ts';
import type { WeightSource } from '../options/settings.ts';
import type { ByteProgress } from '../progress/bytes.ts';
import type { Homes } from './home.ts';

export interface WeightsRequest {
  readonly weights?: WeightSource | undefined;
  readonly weightsFile?: string | undefined;
  readonly seed?: number | undefined;
  /** Needs the ImageNet classifier. */
  readonly includeTop?: boolean | undefined;
  /** Fetch what is missing; default true. */
  readonly download?: boolean | undefined;
}

export interface LoadedWeights {
  readonly source: WeightSource;
  /** Undefined for random weights. */
  readonly file: string | undefined;
  readonly weights: TrunkWeights;
}

/** A source that is there, without reading it: the order of preference is the order of the known files. */
export async function presentWeights(
  homes: Homes,
  includeTop = false,
): Promise<{ source: WeightSource; file: string } | undefined> {
  for (const source of ['keras', 'torchvision', 'tf-official'] as const) {
    const file = await findIn(homes, source, includeTop);
    if (file !== undefined) return { source, file };
  }
  return undefined;
}

/** Loads what was asked for. @throws CommandError where it is neither there nor to be had */
export async function obtainWeights(
  request: WeightsRequest,
  homes: Homes,
  progress?: ByteProgress,
): Promise<LoadedWeights> {
  const { weightsFile, seed = 1, includeTop = false } = request;
  const base = { home: homes.home, includeTop };
  if (request.weights === 'random') {
    return { source: 'random', file: undefined, weights: await loadWeights({ ...base, source: 'random', seed }) };
  }
  if (weightsFile !== undefined) {
    const source = request.weights ?? sourceOfFile(weightsFile);
    return { source, file: weightsFile, weights: await loadWeights({ ...base, source, file: weightsFile }) };
  }
  const present = request.weights === undefined ? await presentWeights(homes, includeTop) : undefined;
  const source = request.weights ?? present?.source ?? 'keras';
  const file =
    present?.file ??
    (await findIn(homes, source, includeTop)) ??
    (await fetchWeights(source, request, homes, progress));
  return { source, file, weights: await loadWeights({ ...base, source, file }) };
}

/** Downloads the first file of a source that has a public address. */
export async function fetchWeights(
  source: WeightSource,
  { includeTop = false, download: mayDownload = true }: Pick<WeightsRequest, 'includeTop' | 'download'>,
  homes: Homes,
  progress?: ByteProgress,
  signal?: AbortSignal,
): Promise<string> {
  const candidates = WEIGHT_FILES.filter((file) => file.source === source);
  const file = preferred(candidates, includeTop);
  const folder = join(homes.cacheHome, 'weights');
  if (file?.url === undefined) {
    throw new CommandError(
      `There are no ${source} weights in ${homes.all.map((home) => join(home, 'weights')).join(' or ')}, and they have no public address; put ${candidates.map(({ fileName }) => fileName).join(' or ')} there, or use --weights keras.`,
    );
  }
  if (!mayDownload)
    throw new CommandError(
      `There are no ${source} weights in ${folder}; get them with: thaw download weights --weights ${source}`,
    );
  const destination = join(folder, file.fileName);
  progress?.start(file.fileName);
  try {
    await download(file.url, destination, {
      ...(file.md5 !== undefined && { md5: file.md5 }),
      ...(file.sha256 !== undefined && { sha256: file.sha256 }),
      ...(signal && { signal }),
      onProgress: ({ receivedBytes, totalBytes }) => progress?.update(receivedBytes, totalBytes),
    });
  } finally {
    progress?.stop();
  }
  return destination;
}

/** Without need of the classifier the smaller file without it is enough. */
function preferred(candidates: readonly WeightFile[], includeTop: boolean): WeightFile | undefined {
  const useful = candidates.filter(({ url }) => url !== undefined);
  return includeTop ? useful.find((file) => file.includeTop) : (useful.find((file) => !file.includeTop) ?? useful[0]);
}

/** The path of a file of this source, or undefined where there is none. */
export async function findIn(homes: Homes, source: WeightSource, includeTop: boolean): Promise<string | undefined> {
  for (const home of homes.all) {
    try {
      return await findWeightsFile({ source, home, includeTop });
    } catch (error) {
      if (!(error instanceof MissingWeightsError)) throw error;
    }
  }
  return undefined;
}

/** A file's source by its known name, else by its format. */
function sourceOfFile(path: string): Exclude<WeightSource, 'random'> {
  const known = WEIGHT_FILES.find(({ fileName }) => path.endsWith(fileName));
  return known?.source ?? (path.endsWith('.h5') ? 'keras' : 'torchvision');
}
