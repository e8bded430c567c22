// Gradient of lrn.wgsl:
//   dx[c] = dy[c] * n[c]^-beta - 2 alpha beta x[c] * sum over |d - c| <= radius of dy[d] y[d] / n[d]

const THREADS: u32 = 64u; // @tune

struct Params { size: u32, channels: u32, radius: u32, bias: f32, alpha: f32, beta: f32 }

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> forward: array<f32>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

// n of a channel of the pixel that begins at `pixel`.
fn norm(pixel: u32, c: u32) -> f32 {
  let end = min(c + params.radius + 1u, params.channels);
  var sum = 0.0;
  for (var d = c - min(c, params.radius); d < end; d++) {
    let v = x[pixel + d];
    sum += v * v;
  }
  return params.bias + params.alpha * sum;
}

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = (group.y * groups.x + group.x) * THREADS + thread;
  if (i >= params.size) { return; }
  let c = i % params.channels;
  let pixel = i - c;
  let end = min(c + params.radius + 1u, params.channels);
  var sum = 0.0;
  for (var d = c - min(c, params.radius); d < end; d++) {
    sum += dy[pixel + d] * forward[pixel + d] / norm(pixel, d);
  }
  y[i] = dy[i] * pow(norm(pixel, c), -params.beta) - 2.0 * params.alpha * params.beta * x[i] * sum;
}
