// Numbers, durations and sizes as a person reads them.

/** 23587712 as "23,587,712". */
export const count = (value: number): string => Math.round(value).toLocaleString('en-US');

/** 0.6583 as "65.8 %". */
export const percent = (share: number, digits = 1): string =>
  Number.isFinite(share) ? `${(100 * share).toFixed(digits)} %` : '-';

/** Three decimals for a score in 0..1, "-" where there is none. */
export const score = (value: number | undefined): string =>
  value === undefined || !Number.isFinite(value) ? '-' : value.toFixed(3);

/** Seconds as "0:07", "12:05" or "1:02:03". */
export function clock(seconds: number): string {
  if (!Number.isFinite(seconds)) return '-:--';
  const whole = Math.max(0, Math.round(seconds));
  const s = String(whole % 60).padStart(2, '0');
  const minutes = Math.floor(whole / 60);
  return minutes < 60 ? `${minutes}:${s}` : `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, '0')}:${s}`;
}

/** Seconds in words: "0.8 s", "42 s", "3 min 05 s", "1 h 02 min"; below ten seconds with so many decimals. */
export function duration(seconds: number, decimals = 1): string {
  if (seconds < 9.95) return `${seconds.toFixed(decimals)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
  const minutes = Math.round(whole / 60);
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}

/** Bytes with a binary unit: "49.1 MiB". */
export function bytes(value: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  let scaled = value;
  while (scaled >= 1024 && unit < units.length - 1) {
    scaled /= 1024;
    unit++;
  }
  return `${unit === 0 ? String(scaled) : scaled.toFixed(1)} ${units[unit] ?? ''}`;
}

/** Milliseconds without their unit: "3.29", "41.6", "1267". */
export const milliseconds = (value: number): string => value.toFixed(value < 9.95 ? 2 : value < 99.5 ? 1 : 0);

/** Images per second: "7.4", "128", "12,340". */
export const rate = (value: number): string => (value < 9.95 ? value.toFixed(1) : count(value));

/** "1 image", "2 images". */
export const plural = (n: number, one: string, many = `${one}s`): string => `${count(n)} ${n === 1 ? one : many}`;
