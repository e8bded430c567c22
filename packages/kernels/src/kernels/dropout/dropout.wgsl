// y[i] = x[i] / (1 - rate) where u(i) >= rate, 0 elsewhere; u(i) in [0, 1) is a hash of seed, salt and i (PCG-RXS-M-XS 32:
// M. E. O'Neill, "PCG: A Family of Simple Fast Space-Efficient Statistically Good Algorithms", 2014).

const PER_THREAD: u32 = 4u; // @tune
const THREADS: u32 = 64u;   // @tune

struct Params {
  size: u32,
  salt: u32,
  rate: f32,
  scale: f32, // 1 / (1 - rate)
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> seed: array<i32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

fn hash(v: u32) -> u32 {
  let state = v * 747796405u + 2891336453u;
  let word = ((state >> ((state >> 28u) + 4u)) ^ state) * 277803737u;
  return (word >> 22u) ^ word;
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let key = hash(hash(params.salt) ^ bitcast<u32>(seed[0]));
  let start = (group.y * groups.x + group.x) * (THREADS * PER_THREAD) + thread;
  for (var j = 0u; j < PER_THREAD; j++) {
    let i = start + j * THREADS;
    if (i >= params.size) { return; }
    let u = f32(hash(i ^ key) >> 8u) * 0x1p-24;
    y[i] = select(0.0, x[i] * params.scale, u >= params.rate);
  }
}
