// y = relu((x - mean) / sqrt(variance + epsilon) * gamma + beta + residual), per channel; x is [rows, channels].

const PER_THREAD: u32 = 4u; // @tune
const THREADS: u32 = 256u;  // @tune

override HAS_GAMMA: bool = true;
override HAS_BETA: bool = true;
override HAS_RESIDUAL: bool = false;
override RELU: bool = false;

struct Params {
  size: u32,
  channels: u32,
  epsilon: f32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> mean: array<f32>;
@group(0) @binding(2) var<storage, read> variance: array<f32>;
@group(0) @binding(3) var<storage, read> gamma: array<f32>;
@group(0) @binding(4) var<storage, read> beta: array<f32>;
@group(0) @binding(5) var<storage, read> residual: array<f32>;
@group(0) @binding(6) var<storage, read_write> y: array<f32>;
@group(0) @binding(7) var<uniform> params: Params;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let start = (group.y * groups.x + group.x) * (THREADS * PER_THREAD) + thread;
  for (var j = 0u; j < PER_THREAD; j++) {
    let i = start + j * THREADS;
    if (i >= params.size) { return; }
    let c = i % params.channels;
    var v = (x[i] - mean[c]) / sqrt(variance[c] + params.epsilon);
    if (HAS_GAMMA) { v *= gamma[c]; }
    if (HAS_BETA) { v += beta[c]; }
    if (HAS_RESIDUAL) { v += residual[i]; }
    if (RELU) { v = select(v, 0.0, v < 0.0); } // a NaN stays one
    y[i] = v;
  }
}
