// ResNet-50's weights: fetched once and kept, read from a file, or random.
import { fromKerasSafetensors, fromTorchvision, randomWeights, readSafetensors, WEIGHT_FILES } from '@thaw/model';

/** @typedef {import('@thaw/model').TrunkWeights} TrunkWeights */

const CACHE = 'thaw-weights';

/** What is fetched: the first known safetensors file with a public address. */
export const SOURCE = WEIGHT_FILES.find(({ url, fileName }) => url && fileName.endsWith('.safetensors'));

/**
 * @param {(received: number, total: number | undefined) => void} onProgress bytes
 * @returns {Promise<TrunkWeights>}
 * @throws Error with the address and the way round where it cannot be fetched
 */
export async function fetchWeights(onProgress) {
  const url = SOURCE?.url;
  if (!url) throw new Error('No weights have a public address; choose a file.');
  const cache = await caches.open(CACHE);
  const kept = await cache.match(url);
  const response = kept ?? (await fetch(url).catch((cause) => unreachable(url, String(cause))));
  if (!response.ok) unreachable(url, `the server answers ${response.status}`);
  const bytes = await readAll(response, onProgress);
  const weights = await parse(bytes, SOURCE.fileName);
  // Only what could be read is kept; a full disk is no reason to fail.
  if (!kept) await cache.put(url, new Response(bytes)).catch(() => undefined);
  return weights;
}

/** @param {string} url @param {string} reason @returns {never} */
function unreachable(url, reason) {
  throw new Error(
    `The weights could not be fetched (${reason}).\nDownload ${url} by other means, and choose the file.`,
  );
}

/** @param {Response} response @param {(received: number, total: number | undefined) => void} onProgress */
async function readAll(response, onProgress) {
  const total = Number(response.headers.get('content-length')) || undefined;
  const parts = [];
  let received = 0;
  const reader = response.body?.getReader();
  for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
    parts.push(part.value);
    received += part.value.length;
    onProgress(received, total);
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

/** @param {File} file @returns {Promise<TrunkWeights>} @throws Error naming the file and what is wrong with it */
export async function weightsFromFile(file) {
  if (/\.h5$|\.keras$/i.test(file.name))
    throw new Error(
      `${file.name}: this page reads safetensors. The same network is at ${SOURCE?.url ?? 'Hugging Face'}.`,
    );
  return parse(new Uint8Array(await file.arrayBuffer()), file.name);
}

/** @returns {TrunkWeights} */
export const weightsAtRandom = () => randomWeights({ seed: 1 });

/** @param {Uint8Array<ArrayBuffer>} bytes @param {string} label @returns {Promise<TrunkWeights>} */
async function parse(bytes, label) {
  const file = readSafetensors(bytes, label);
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  const hash = [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  const hasKerasNames = file.tensors.has('conv1_conv/kernel');
  return hasKerasNames
    ? fromKerasSafetensors(file, { variant: variantIn(file.metadata['variant']), label, hash })
    : fromTorchvision(file, { label, hash });
}

/** Files with Keras's names say which variant they are of, or are TensorFlow's own. @param {string | undefined} stated */
const variantIn = (stated) => (stated?.startsWith('keras') ? 'keras' : 'tf-official');
