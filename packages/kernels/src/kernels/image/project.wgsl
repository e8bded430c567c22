// Images seen through projective maps, NHWC, one thread per element of y. With the map (a0 … a7) of the image, the pixel
// (ox, oy) of y is that of x at ((a0 ox + a1 oy + a2) / k, (a3 ox + a4 oy + a5) / k), k = a6 ox + a7 oy + 1.

const THREADS: u32 = 64u; // @tune

override NEAREST: bool = false;
// What lies outside of x: 0 the constant, 1 the mirror image, 2 x again, 3 the pixel at the edge
override OUTSIDE: u32 = 0u;

struct Params { size: u32, channels: u32, inH: u32, inW: u32, outH: u32, outW: u32, mapStep: u32, outside: f32 }

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> maps: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

// A coordinate within a line of that length, where one outside stands for one within.
fn within(given: f32, length: u32) -> f32 {
  if (OUTSIDE == 0u) { return given; }
  let size = f32(length);
  var at = given;
  if (OUTSIDE == 1u && length > 1u) {
    if (at < 0.0) {
      at += 2.0 * size * trunc(-at / (2.0 * size));
      at = select(-at - 1.0, at + 2.0 * size, at < -size);
    } else if (at > size - 1.0) {
      at -= 2.0 * size * trunc(at / (2.0 * size));
      if (at >= size) { at = 2.0 * size - at - 1.0; }
    }
  }
  if (OUTSIDE == 2u && length > 1u) {
    if (at < 0.0) { at += size * (trunc(-at / (size - 1.0)) + 1.0); }
    else if (at > size - 1.0) { at -= size * trunc(at / (size - 1.0)); }
  }
  return clamp(at, 0.0, size - 1.0);
}

fn pixel(n: u32, iy: f32, ix: f32, c: u32) -> f32 {
  if (!(iy >= 0.0 && iy < f32(params.inH) && ix >= 0.0 && ix < f32(params.inW))) { return params.outside; }
  return x[((n * params.inH + u32(iy)) * params.inW + u32(ix)) * params.channels + c];
}

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let at = (group.y * groups.x + group.x) * THREADS + thread;
  if (at >= params.size) { return; }
  let c = at % params.channels;
  let ox = f32(at / params.channels % params.outW);
  let oy = f32(at / params.channels / params.outW % params.outH);
  let n = at / params.channels / params.outW / params.outH;
  let m = n * params.mapStep;
  let k = maps[m + 6u] * ox + maps[m + 7u] * oy + 1.0;
  if (k == 0.0) { y[at] = params.outside; return; }
  let ix = within((maps[m] * ox + maps[m + 1u] * oy + maps[m + 2u]) / k, params.inW);
  let iy = within((maps[m + 3u] * ox + maps[m + 4u] * oy + maps[m + 5u]) / k, params.inH);
  if (NEAREST) { y[at] = pixel(n, floor(iy + 0.5), floor(ix + 0.5), c); return; }
  let top = floor(iy);
  let left = floor(ix);
  let right = ix - left;
  let upper = (1.0 - right) * pixel(n, top, left, c) + right * pixel(n, top, left + 1.0, c);
  let lower = (1.0 - right) * pixel(n, top + 1.0, left, c) + right * pixel(n, top + 1.0, left + 1.0, c);
  let down = iy - top;
  y[at] = (1.0 - down) * upper + down * lower;
}
