// A recorded run's network on images: scores, and what a report shows of the images.
import type { Evaluation, TrunkRunner } from '@thaw/model';
import { InterruptedError } from '../errors.ts';
import type { Settings, SomeSettings } from '../options/settings.ts';
import type { Output } from '../output.ts';
import { byteProgress } from '../progress/bytes.ts';
import { createReporter } from '../progress/reporter.ts';
import { fileFact, shortHash } from '../ranks/facts.ts';
import { ALONE, type Ranks } from '../ranks/ranks.ts';
import { exampleImages } from '../report/examples.ts';
import type { Examples } from '../report/types.ts';
import type { TrunkUse } from '../trunk/choose.ts';
import type { Trunk } from '../trunk/trunk.ts';
import { classifierFile } from '../runs/folder.ts';
import { partHash, type Part } from './data.ts';
import { evaluateScorer } from './classical.ts';
import { evaluatePart } from './evaluate-part.ts';
import { checkFeaturesFit, featuresFit } from './feature-memory.ts';
import { featureCache } from './features.ts';
import type { Homes } from './home.ts';
import type { Interrupt } from './interrupt.ts';
import { closeRun, openRun } from './run.ts';
import { tellSmallerBatches } from './smaller-batches.ts';
import { DataSource } from './source.ts';

export type ScoreSettings = Pick<Settings, 'checkpoint' | 'strict' | 'batchSize' | 'cacheFeatures'> &
  Pick<SomeSettings, 'weightsFile' | 'precision'>;

export interface ScoreRequest {
  readonly folder: string;
  readonly part: Part;
  readonly settings: ScoreSettings;
  readonly homes: Homes;
  readonly trunk: Trunk;
  readonly output: Output;
  readonly interrupt: Interrupt;
  /** Those that share the images; default this process alone. */
  readonly ranks?: Ranks | undefined;
  /** Also picks the images that a report shows. */
  readonly withExamples: boolean;
}

export interface Scored {
  readonly evaluation: Evaluation;
  readonly examples: Examples | undefined;
  /** Unreadable images. */
  readonly skipped: number;
  /** What ran a frozen trunk, where that was measured or asked for. */
  readonly use: TrunkUse | undefined;
}

/** Call it with the backend open. @throws InterruptedError */
export async function scoreRun(request: ScoreRequest): Promise<Scored> {
  const { folder, part, settings, homes, trunk, output, interrupt, ranks = ALONE, withExamples } = request;
  const { dataset, indices } = part;
  const onNote = (note: string): void => output.warn(note);
  const reporter = createReporter(output);
  const opened = await ranks.fetching((download) =>
    openRun({ ...settings, folder, onNote, download }, homes, byteProgress(output)),
  );
  const { classifier, features, scorer, config, loaded } = opened;
  const { network } = features;
  try {
    await ranks.agree({
      'the hash of the images': shortHash(partHash(part)),
      'the hash of the weights': shortHash(loaded.weights.hash),
      'the hash of the classifier': await fileFact(
        classifierFile(folder, settings.checkpoint, classifier !== undefined),
      ),
    });
    const { imageSize } = config.network;
    let skipped = 0;
    const source = new DataSource(dataset, indices, {
      imageSize,
      preprocessing: network.variant.preprocessing,
      strict: settings.strict,
      onSkip: (image) => {
        skipped++;
        output.skipped(image);
      },
    });
    const isKept = settings.cacheFeatures && network.isFrozen;
    const store = isKept
      ? featureCache({ homes, weights: loaded.weights, features, parts: { part }, onNote, ranks })
      : undefined;
    const start = performance.now();
    let use: TrunkUse | undefined;
    const openRunner = (): TrunkRunner => {
      checkFeaturesFit(source.length, features.width, 'Take fewer with --limit-test.');
      return trunk.runner(features, { onUse: (found) => void (use = found) });
    };
    const options = {
      imageSize,
      batchSize: settings.batchSize,
      store,
      // Features that do not fit are not made: the whole network runs, a batch in memory at a time.
      runner:
        (network.isFrozen || trunk.mayLeave) && featuresFit(source.length, features.width) ? openRunner : undefined,
      key: 'part',
      signal: interrupt.signal,
      onSmallerBatch: tellSmallerBatches(output),
      ranks,
      onProgress: (done: number, total: number) => {
        const imagesPerSecond = (1000 * done) / (performance.now() - start);
        const secondsLeft = (total - done) / imagesPerSecond;
        reporter.show({ label: dataset.name, done, total, imagesPerSecond, secondsLeft });
      },
    };
    const scored = classifier
      ? await evaluatePart(classifier, source, options)
      : await evaluateScorer(scorer, source, { ...options, runner: openRunner });
    reporter.clear();
    if (!scored) throw ranks.share(new InterruptedError('Interrupted.', await ranks.exitCode(interrupt.exitCode)));
    skipped = (await ranks.gather(skipped)).reduce((sum, one) => sum + one, 0);
    const { evaluation } = scored;
    const read = { dataset, indices: scored.indices };
    const examples =
      withExamples && classifier && ranks.isFirst
        ? await exampleImages({ classifier, evaluation, part: read, imageSize }, onNote)
        : undefined;
    return { evaluation, examples, skipped, use };
  } finally {
    reporter.clear();
    closeRun(opened);
  }
}
