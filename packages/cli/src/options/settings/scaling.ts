// Settings of the benchmark of several ranks, and of its model.
import { ALGORITHMS } from '@thaw/bench';
import { z } from 'zod';
import { real, text, words, type OptionsOf } from './info.ts';

const numbers = (number: string): RegExp => new RegExp(`^${number}(,${number})*$`);
const above0 = z.number().gt(0);

export const scalingSettings = {
  ranks: z.string().regex(numbers('[1-9]\\d{0,6}')),
  mpirun: z.string().min(1),
  stepMs: above0,
  links: z.string().regex(numbers('(?!0+(\\.0+)?(,|$))\\d{1,6}(\\.\\d+)?')),
  latency: z.number().min(0),
  deviceLink: above0,
  hostCopy: above0,
  algorithm: z.enum(ALGORITHMS),
} as const;

export const scalingOptions: OptionsOf<typeof scalingSettings> = {
  ranks: {
    flags: '--ranks <list>',
    description: 'numbers of ranks, commas between them',
    ...text('a list of whole numbers of at least 1, such as 1,2'),
  },
  mpirun: {
    flags: '--mpirun <program>',
    description: 'what starts the ranks: mpirun or mpiexec of MPICH or Open MPI',
    ...text('a program'),
  },
  stepMs: {
    flags: '--step-ms <ms>',
    description: 'milliseconds of a step on one device, as thaw bench step measures them',
    ...real('a number above 0'),
  },
  links: {
    flags: '--links <list>',
    description: "speeds of a rank's link to the others, Gb/s each way, commas between them",
    ...text('a list of numbers above 0, such as 10,100'),
  },
  latency: {
    flags: '--latency <us>',
    description: 'microseconds of a message from rank to rank',
    ...real('a number of at least 0'),
  },
  deviceLink: {
    flags: '--device-link <GB/s>',
    description: 'speed of copies between device and host, each way',
    ...real('a number above 0'),
  },
  hostCopy: {
    flags: '--host-copy <GB/s>',
    description: "speed of copies and sums in the host's memory, bytes copied a second",
    ...real('a number above 0'),
  },
  algorithm: {
    flags: '--algorithm <name>',
    description: 'how MPI adds up: ring, in 2 (N - 1) messages one after the other, or halving, in 2 log2 N',
    ...words(ALGORITHMS),
  },
};
