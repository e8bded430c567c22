// dx = z * scale, dresidual = z, where z = dy where y > 0 (dy everywhere without the ReLU); tensors are [rows, channels].

const PER_THREAD: u32 = 4u; // @tune
const THREADS: u32 = 256u;  // @tune

override HAS_RESIDUAL: bool = false;
override RELU: bool = false;

struct Params {
  size: u32,
  channels: u32,
}

@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read> y: array<f32>;
@group(0) @binding(2) var<storage, read> scale: array<f32>;
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;
@group(0) @binding(4) var<storage, read_write> dresidual: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let start = (group.y * groups.x + group.x) * (THREADS * PER_THREAD) + thread;
  for (var j = 0u; j < PER_THREAD; j++) {
    let i = start + j * THREADS;
    if (i >= params.size) { return; }
    var z = dy[i];
    if (RELU && y[i] <= 0.0) { z = 0.0; }
    dx[i] = z * scale[i % params.channels];
    if (HAS_RESIDUAL) { dresidual[i] = z; }
  }
}
