// The second pass of a sum that was split over workgroups: sum[i] = sum over parts of parts[part, i], in order of part, and
// then what conv2d.wgsl does after its own: + bias[column] + residual[i], ReLU. One thread has all parts of a sum.

alias Stored = f32; // @stored

const PER_THREAD: u32 = 1u; // @tune
const THREADS: u32 = 64u;   // @tune

override HAS_BIAS: bool = false;
override HAS_RESIDUAL: bool = false;
override RELU: bool = false;

struct Params { size: u32, columns: u32, count: u32 }

@group(0) @binding(0) var<storage, read> parts: array<f32>;
@group(0) @binding(1) var<storage, read> bias: array<f32>;
@group(0) @binding(2) var<storage, read> residual: array<Stored>;
@group(0) @binding(3) var<storage, read_write> sum: array<Stored>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let start = (group.y * groups.x + group.x) * (THREADS * PER_THREAD) + thread;
  for (var j = 0u; j < PER_THREAD; j++) {
    let i = start + j * THREADS;
    if (i >= params.size) { return; }
    var v = 0.0;
    for (var part = 0u; part < params.count; part++) { v += parts[part * params.size + i]; }
    if (HAS_BIAS) { v += bias[i % params.columns]; }
    if (HAS_RESIDUAL) { v += f32(residual[i]); }
    if (RELU) { v = select(v, 0.0, v < 0.0); } // a NaN stays one
    sum[i] = Stored(v);
  }
}
