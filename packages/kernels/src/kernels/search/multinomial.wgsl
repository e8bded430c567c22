// y[b, s] = the first event whose cumulative probability is above u(b, s) in [0, 1); the last one where none is. u is a hash
// of seed, row and sample (PCG-RXS-M-XS 32, as in dropout.wgsl): the same for the same seed, and not tfjs-cpu's sequence.

const THREADS: u32 = 64u; // @tune

struct Params { size: u32, samples: u32, events: u32, seed: u32 }

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<i32>;
@group(0) @binding(2) var<uniform> params: Params;

fn hash(v: u32) -> u32 {
  let state = v * 747796405u + 2891336453u;
  let word = ((state >> ((state >> 28u) + 4u)) ^ state) * 277803737u;
  return (word >> 22u) ^ word;
}

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = (group.y * groups.x + group.x) * THREADS + thread;
  if (i >= params.size) { return; }
  let row = i / params.samples * params.events;
  let u = f32(hash(i ^ hash(params.seed)) >> 8u) * 0x1p-24;
  var total = 0.0;
  var event = 0u;
  for (; event + 1u < params.events; event++) {
    total += x[row + event];
    if (u < total) { break; }
  }
  y[i] = i32(event);
}
