// What ran a trunk, as a person reads it.
import type { TrunkUse } from '../trunk/choose.ts';
import { plural, rate } from './format.ts';

/** "tfjs-wasm on 2 threads, 290 images/s (llvmpipe 97)" */
export function trunkText({ engine, threads = 1, imagesPerSecond: speeds }: TrunkUse, device: string): string {
  const wasm = `tfjs-wasm on ${plural(threads, 'thread')}`;
  if (!speeds) return engine === 'wasm' ? wasm : device;
  const [winner, loser] =
    engine === 'wasm'
      ? [`${wasm}, ${rate(speeds.wasm)}`, `${device} ${rate(speeds.device)}`]
      : [`${device}, ${rate(speeds.device)}`, `${wasm} ${rate(speeds.wasm)}`];
  return `${winner} images/s (${loser})`;
}
