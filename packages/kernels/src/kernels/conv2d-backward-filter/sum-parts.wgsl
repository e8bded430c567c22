// The second pass of a split-K kernel: dw[i] = sum over parts of parts[part, i], in order of part.

const PER_THREAD: u32 = 4u; // @tune
const THREADS: u32 = 64u;   // @tune

struct Params { size: u32, count: u32 }

@group(0) @binding(0) var<storage, read> parts: array<f32>;
@group(0) @binding(1) var<storage, read_write> dw: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

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
    var sum = 0.0;
    for (var part = 0u; part < params.count; part++) { sum += parts[part * params.size + i]; }
    dw[i] = sum;
  }
}
