// A trunk and a head.
import * as tf from '@tensorflow/tfjs-core';
import type { Head, HeadSpec } from '../head/head.ts';
import { poolMap, type Pooling, type ResNet50 } from '../network/index.ts';
import type { NamedTensors } from './types.ts';

/**
 * Length of the feature vector that a head of this kind reads: the article's flattens the trunk's last map
 * [height, width, channels], every other averages it over the image. At 32x32 the map is one pixel and both are the same.
 */
export function featureWidth(spec: HeadSpec, network: ResNet50): number {
  const { channels } = network;
  const [height = 1, width = 1] = lastMap(network);
  return spec === 'article' ? height * width * channels : channels;
}

function lastMap(network: ResNet50): readonly number[] {
  return network.table.findLast(({ outputShape }) => outputShape.length === 3)?.outputShape ?? [1, 1];
}

/** A trunk and a head: images to probabilities of classes. */
export class Classifier {
  /** What an optimizer changes, by name. */
  readonly trainables: ReadonlyMap<string, tf.Variable>;

  constructor(
    /** The trunk. */
    readonly network: ResNet50,
    /** The head. */
    readonly head: Head,
  ) {
    this.trainables = new Map([...network.trainables, ...head.variables]);
  }

  /** How the trunk's last map becomes what this head reads. */
  get pooling(): Pooling {
    return this.head.spec === 'article' ? 'flatten' : 'average';
  }

  /** The head's input from the trunk's output [batch, height, width, channels]. */
  pool(map: tf.Tensor4D): tf.Tensor2D {
    return poolMap(map, this.pooling);
  }

  /** Inference. @param images [batch, height, width, 3]; @returns [batch, inputs of the head] */
  features(images: tf.Tensor4D): tf.Tensor2D {
    return tf.tidy(() => this.pool(this.network.trunk(images)));
  }

  /** Inference. @returns [batch, classes] */
  probabilities(images: tf.Tensor4D): tf.Tensor2D {
    return tf.tidy(() => this.classify(this.features(images)));
  }

  /** Inference of the head alone. @param features what `features` gives; @returns probabilities [batch, classes] */
  classify(features: tf.Tensor2D): tf.Tensor2D {
    return tf.tidy(() => tf.softmax(this.head.logits(features, { training: false })));
  }

  /** Every variable by its name: of the head, and of the trunk where it trains. */
  get variables(): ReadonlyMap<string, tf.Variable> {
    return new Map([...this.network.variables, ...this.head.variables]);
  }

  /** Reads every variable. */
  async state(): Promise<NamedTensors> {
    const state = new Map<string, { shape: number[]; data: Float32Array }>();
    for (const [name, variable] of this.variables)
      state.set(name, { shape: variable.shape, data: Float32Array.from(await variable.data<'float32'>()) });
    return state;
  }

  /** Puts back what `state` gave. @throws WeightsError on a missing, misshapen or unknown name */
  restore(state: NamedTensors): void {
    const isHead = (name: string): boolean => name.startsWith('head/');
    this.network.restore(new Map([...state].filter(([name]) => !isHead(name))));
    this.head.restore(new Map([...state].filter(([name]) => isHead(name))));
  }

  /** Puts back what `state` has; variables that it lacks, as those of layers that were thawed since, keep their values. */
  async restoreOver(state: NamedTensors): Promise<void> {
    this.restore(new Map([...(await this.state()), ...state]));
  }

  /** Frees the tensors of both. */
  dispose(): void {
    this.network.dispose();
    this.head.dispose();
  }
}
