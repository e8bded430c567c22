// Settings of thaw serve.
import { z } from 'zod';
import { real, whole, type OptionsOf } from './info.ts';

export const serverSettings = {
  port: z.int().min(0).max(65535),
  maxUpload: z.number().gt(0).max(1024),
  maxWaiting: z.int().min(1),
  rateLimit: z.int().min(1),
} as const;

export const serverOptions: OptionsOf<typeof serverSettings> = {
  port: {
    flags: '--port <n>',
    description: 'port on 127.0.0.1; 0 takes any that is free',
    number: true,
    expected: 'a whole number from 0 to 65535',
  },
  maxUpload: { flags: '--max-upload <MiB>', description: 'size of a request at most', ...real('a number above 0, at most 1024') }, // prettier-ignore
  maxWaiting: {
    flags: '--max-waiting <n>',
    description: 'images that may wait for the device; more are told to come back (503)',
    ...whole(1),
  },
  rateLimit: {
    flags: '--rate-limit <n>',
    description: "one client's requests a second at most; more are refused (429)",
    ...whole(1),
  },
};
