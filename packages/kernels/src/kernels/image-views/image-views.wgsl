// y[n, v, u, c] = scale[c] p[channel[c]] + shift[c], and 0 in the view's erased rectangle, where p is the colour at output pixel
// (u, v) of view n:
//   p = clamp(gain s + grey luma(s) + offset, 0, 255),  luma(s) = 0.299 red + 0.587 green + 0.114 blue (ITU-R BT.601)
//   s = the image, interpolated between its four nearest pixels, at (column, row):
//       column + 1/2 = x0 + across (x1 - x0) + down shearX,  row + 1/2 = y0 + down (y1 - y0) + across shearY
//       with across = (u + 1/2) / side, down = (v + 1/2) / side
// Beyond its edges an image goes on as its mirror image, and beyond that as the last pixel.
// A view is x0, x1, y0, y1, gain, grey, offset, left, top, right, bottom of the erased rectangle, shearX, shearY.

const PER_THREAD: u32 = 1u; // @tune
const THREADS: u32 = 64u;   // @tune
const VIEW = 13u;

struct Params {
  pixels: u32, // batch side side
  inH: u32,
  inW: u32,
  side: u32,
  channel0: u32,
  channel1: u32,
  channel2: u32,
  scale0: f32,
  scale1: f32,
  scale2: f32,
  shift0: f32,
  shift1: f32,
  shift2: f32,
}

@group(0) @binding(0) var<storage, read> images: array<f32>;
@group(0) @binding(1) var<storage, read> views: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

// Position i of an axis of `size` pixels, mirrored at its ends.
fn mirrored(i: i32, size: u32) -> u32 {
  let end = i32(size);
  let inside = select(select(i, 2 * end - 1 - i, i >= end), -1 - i, i < 0);
  return u32(clamp(inside, 0, end - 1));
}

fn pixel(image: u32, row: u32, column: u32) -> vec3f {
  let at = ((image * params.inH + row) * params.inW + column) * 3u;
  return vec3f(images[at], images[at + 1u], images[at + 2u]);
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let start = (group.y * groups.x + group.x) * (THREADS * PER_THREAD) + thread;
  for (var j = 0u; j < PER_THREAD; j++) {
    let i = start + j * THREADS;
    if (i >= params.pixels) { return; }
    let u = f32(i % params.side);
    let v = f32((i / params.side) % params.side);
    let image = i / (params.side * params.side);
    let view = image * VIEW;

    let across = (u + 0.5) / f32(params.side);
    let down = (v + 0.5) / f32(params.side);
    let column = views[view] + across * (views[view + 1u] - views[view]) + down * views[view + 11u] - 0.5;
    let row = views[view + 2u] + down * (views[view + 3u] - views[view + 2u]) + across * views[view + 12u] - 0.5;
    let left = mirrored(i32(floor(column)), params.inW);
    let right = mirrored(i32(floor(column)) + 1, params.inW);
    let top = mirrored(i32(floor(row)), params.inH);
    let bottom = mirrored(i32(floor(row)) + 1, params.inH);
    let toRight = column - floor(column);
    let upper = mix(pixel(image, top, left), pixel(image, top, right), toRight);
    let lower = mix(pixel(image, bottom, left), pixel(image, bottom, right), toRight);
    let s = mix(upper, lower, row - floor(row));

    let luma = dot(s, vec3f(0.299, 0.587, 0.114));
    let p = clamp(views[view + 4u] * s + (views[view + 5u] * luma + views[view + 6u]), vec3f(0.0), vec3f(255.0));
    let isErased = u >= views[view + 7u] && v >= views[view + 8u] && u < views[view + 9u] && v < views[view + 10u];
    y[3u * i] = select(params.scale0 * p[params.channel0] + params.shift0, 0.0, isErased);
    y[3u * i + 1u] = select(params.scale1 * p[params.channel1] + params.shift1, 0.0, isErased);
    y[3u * i + 2u] = select(params.scale2 * p[params.channel2] + params.shift2, 0.0, isErased);
  }
}
