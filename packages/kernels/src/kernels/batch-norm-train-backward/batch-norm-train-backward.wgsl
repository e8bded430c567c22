// dx = gamma / deviation (z - dbeta / rows - xhat dgamma / rows),  dresidual = z,  where z = dy where y > 0
// (dy everywhere without the ReLU), deviation = sqrt(variance + epsilon), xhat = (x - mean) / deviation.
// Tensors are [rows, channels]. What is constant in a channel comes from merge-gradients.wgsl in `table`.

const PER_THREAD: u32 = 4u; // @tune
const THREADS: u32 = 256u;  // @tune

override RELU: bool = false;
override HAS_RESIDUAL: bool = false;

struct Params {
  size: u32,
  channels: u32,
}

@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> y: array<f32>;
@group(0) @binding(3) var<storage, read> table: array<vec4f>; // mean, scale, scale dbeta / rows, scale dgamma / (rows deviation)
@group(0) @binding(4) var<storage, read_write> dx: array<f32>;
@group(0) @binding(5) var<storage, read_write> dresidual: array<f32>;
@group(0) @binding(6) var<uniform> params: Params;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let start = (group.y * groups.x + group.x) * (THREADS * PER_THREAD) + thread;
  for (var j = 0u; j < PER_THREAD; j++) {
    let i = start + j * THREADS;
    if (i >= params.size) { return; }
    let t = table[i % params.channels];
    var z = dy[i];
    if (RELU && y[i] <= 0.0) { z = 0.0; }
    dx[i] = t.y * z - t.z - (x[i] - t.x) * t.w;
    if (HAS_RESIDUAL) { dresidual[i] = z; }
  }
}
