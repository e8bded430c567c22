// dx = dy where y > 0, else 0. Elementwise.

alias Stored4 = vec4f; // @stored

const PER_THREAD: u32 = 4u; // @tune
const THREADS: u32 = 256u;  // @tune

struct Params {
  size: u32, // vectors of four; the last may reach past the tensor into its padding
}

@group(0) @binding(0) var<storage, read> dy: array<Stored4>;
@group(0) @binding(1) var<storage, read> y: array<Stored4>;
@group(0) @binding(2) var<storage, read_write> dx: array<Stored4>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let start = (group.y * groups.x + group.x) * (THREADS * PER_THREAD) + thread;
  for (var j = 0u; j < PER_THREAD; j++) {
    let i = start + j * THREADS;
    if (i >= params.size) { return; }
    dx[i] = select(Stored4(0.0), dy[i], y[i] > Stored4(0.0));
  }
}
