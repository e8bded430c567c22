// Local response normalisation over the channels within a radius:
//   y[c] = x[c] * n[c]^-beta,   n[c] = bias + alpha * sum over |d - c| <= radius of x[d]^2

const THREADS: u32 = 64u; // @tune

struct Params { size: u32, channels: u32, radius: u32, bias: f32, alpha: f32, beta: f32 }

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = (group.y * groups.x + group.x) * THREADS + thread;
  if (i >= params.size) { return; }
  let c = i % params.channels;
  let first = c - min(c, params.radius);
  let end = min(c + params.radius + 1u, params.channels);
  var sum = 0.0;
  for (var d = first; d < end; d++) {
    let v = x[i - c + d];
    sum += v * v;
  }
  y[i] = x[i] * pow(params.bias + params.alpha * sum, -params.beta);
}
