// A name for changed weights, so that nothing cached for the original ones is taken for theirs.
import type { WeightTensor } from '../weights/index.ts';

/** SHA-256 over the original weights' hash and the changed tensors. */
export async function hashOf(original: string, changed: ReadonlyMap<string, WeightTensor>): Promise<string> {
  const digest = async (bytes: Uint8Array<ArrayBuffer>): Promise<string> => {
    const sum = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
    return Array.from(sum, (byte) => byte.toString(16).padStart(2, '0')).join('');
  };
  let parts = original;
  for (const [name, { data }] of changed) parts += `\n${name} ${await digest(Uint8Array.from(bytesOf(data)))}`;
  return digest(new TextEncoder().encode(parts));
}

function bytesOf(data: Float32Array): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
