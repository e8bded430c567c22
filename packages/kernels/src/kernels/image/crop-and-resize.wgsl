// Cuts boxes out of images, NHWC, and resizes each to one size, one thread per element of y. A box is (y1, x1, y2, x2) in
// units of the image from its first to its last row and column; what lies outside of the image is a constant.

const THREADS: u32 = 64u; // @tune

override NEAREST: bool = false;

struct Params { size: u32, batch: i32, channels: u32, inH: u32, inW: u32, outH: u32, outW: u32, outside: f32 }

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> boxes: array<f32>;
// The image that each box is cut from.
@group(0) @binding(2) var<storage, read> images: array<i32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

// Where the i-th of `count` lines lies in an image of `size` lines, from `first` to `last` of it.
fn place(i: u32, count: u32, first: f32, last: f32, size: u32) -> f32 {
  let span = f32(size - 1u);
  if (count == 1u) { return 0.5 * (first + last) * span; }
  return first * span + f32(i) * ((last - first) * span / f32(count - 1u));
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
  let ox = at / params.channels % params.outW;
  let oy = at / params.channels / params.outW % params.outH;
  let box = at / params.channels / params.outW / params.outH;
  let image = images[box];
  if (image < 0 || image >= params.batch) { y[at] = 0.0; return; }
  let iy = place(oy, params.outH, boxes[4u * box], boxes[4u * box + 2u], params.inH);
  let ix = place(ox, params.outW, boxes[4u * box + 1u], boxes[4u * box + 3u], params.inW);
  if (!(iy >= 0.0 && iy <= f32(params.inH - 1u) && ix >= 0.0 && ix <= f32(params.inW - 1u))) {
    y[at] = params.outside;
    return;
  }
  let first = u32(image) * params.inH * params.inW;
  if (NEAREST) {
    let pixel = first + u32(floor(iy + 0.5)) * params.inW + u32(floor(ix + 0.5));
    y[at] = x[pixel * params.channels + c];
    return;
  }
  let top = first + u32(floor(iy)) * params.inW;
  let bottom = first + u32(ceil(iy)) * params.inW;
  let left = u32(floor(ix));
  let right = u32(ceil(ix));
  let topLeft = x[(top + left) * params.channels + c];
  let topRight = x[(top + right) * params.channels + c];
  let bottomLeft = x[(bottom + left) * params.channels + c];
  let bottomRight = x[(bottom + right) * params.channels + c];
  let upper = topLeft + (topRight - topLeft) * fract(ix);
  let lower = bottomLeft + (bottomRight - bottomLeft) * fract(ix);
  y[at] = upper + (lower - upper) * fract(iy);
}
