// y[i] = x[i] + bins * (row of i): the bin of each value among the bins of all rows; -1 for a value that has no bin.

const THREADS: u32 = 64u; // @tune

struct Params { size: u32, columns: u32, bins: i32 }

@group(0) @binding(0) var<storage, read> x: array<i32>;
@group(0) @binding(1) var<storage, read_write> y: array<i32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = (group.y * groups.x + group.x) * THREADS + thread;
  if (i >= params.size) { return; }
  let hasBin = x[i] >= 0 && x[i] < params.bins;
  y[i] = select(-1, x[i] + params.bins * i32(i / params.columns), hasBin);
}
