// Where the real weights, images and golden values lie: ../shared beside the checkout, or THAW_SHARED.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder =
  process.env['THAW_SHARED'] ?? join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', '..', '..', 'shared');

export const sharedFiles = {
  home: join(folder, 'thaw-home'),
  weights: join(folder, 'thaw-home', 'weights', 'resnet50-tf-official-v1.5-imagenet.safetensors'),
  cifarTest: join(folder, 'thaw-home', 'datasets', 'cifar-10-batches-bin', 'test_batch.bin'),
  golden: join(folder, 'golden', 'resnet50-cifar10-test-0-16.safetensors'),
};

/** True, with one warning, when a test that needs these files must be skipped. */
export function missingShared(...files: string[]): boolean {
  const missing = files.filter((file) => !existsSync(file));
  if (missing.length > 0)
    console.warn(`SKIPPED: tests that need ${missing.join(', ')} (set THAW_SHARED to the folder).`);
  return missing.length > 0;
}
