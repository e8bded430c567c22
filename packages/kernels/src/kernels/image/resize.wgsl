// Resizes images, NHWC, one thread per element of y: y = the mix of the four pixels between which its row and column lie.
// `axes` says, for each row and then for each column of y, its lower and its upper neighbour in x and how far towards the
// upper one it lies; for the nearest pixel both are that one.

const THREADS: u32 = 64u; // @tune

struct Params { size: u32, channels: u32, inH: u32, inW: u32, outH: u32, outW: u32 }

@group(0) @binding(0) var<storage, read> x: array<f32>;
// lower, upper, distance, 0
@group(0) @binding(1) var<storage, read> axes: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

// Infinities stay what they are on the spot.
fn between(a: f32, b: f32, distance: f32) -> f32 { return select(a + (b - a) * distance, a, distance == 0.0); }

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let at = (group.y * groups.x + group.x) * THREADS + thread;
  if (at >= params.size) { return; }
  let c = at % params.channels;
  let column = axes[params.outH + at / params.channels % params.outW];
  let row = axes[at / params.channels / params.outW % params.outH];
  let image = at / params.channels / params.outW / params.outH * params.inH;
  let top = (image + u32(row.x)) * params.inW;
  let bottom = (image + u32(row.y)) * params.inW;
  let left = u32(column.x);
  let right = u32(column.y);
  let upper = between(x[(top + left) * params.channels + c], x[(top + right) * params.channels + c], column.z);
  let lower = between(x[(bottom + left) * params.channels + c], x[(bottom + right) * params.channels + c], column.z);
  y[at] = between(upper, lower, row.z);
}
