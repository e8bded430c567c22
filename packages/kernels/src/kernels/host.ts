/**
 * What tfjs-cpu computes for this backend, on the host: results whose size depends on values, strings, and sequences and
 * shapes too short for a dispatch.
 */
import { defineHostKernel } from '../backend/kernel.ts';

export const hostKernels = [
  'Range',
  'LinSpace',
  'BroadcastArgs',
  'Unique',
  'NonMaxSuppressionV3',
  'NonMaxSuppressionV4',
  'NonMaxSuppressionV5',
  'SparseFillEmptyRows',
  'SparseReshape',
  'SparseSegmentMean',
  'SparseSegmentSum',
  'RaggedGather',
  'RaggedRange',
  'RaggedTensorToTensor',
  'StaticRegexReplace',
  'StringNGrams',
  'StringSplit',
  'StringToHashBucketFast',
].map(defineHostKernel);
