// One step of Adam, in place, with rates = (rate, keep),
// rate = learningRate sqrt(1 - beta2^t) / (1 - beta1^t), keep = 1 - learningRate weightDecay:
//   m = beta1 m + (1 - beta1) gradient,  v = beta2 v + (1 - beta2) gradient^2
//   value = keep value - rate m / (sqrt(v) + epsilon)

const PER_THREAD: u32 = 4u; // @tune
const THREADS: u32 = 256u;  // @tune

struct Params {
  size: u32, // vectors of four; the last may reach past the tensor into its padding
  beta1: f32,
  beta2: f32,
  fresh1: f32, // 1 - beta1, rounded once from float64
  fresh2: f32, // 1 - beta2
  epsilon: f32,
}

@group(0) @binding(0) var<storage, read> gradient: array<vec4f>;
@group(0) @binding(1) var<storage, read> rates: array<f32>;
@group(0) @binding(2) var<storage, read_write> value: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> m: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> v: array<vec4f>;
@group(0) @binding(5) var<uniform> params: Params;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let rate = rates[0];
  let keep = rates[1];
  let start = (group.y * groups.x + group.x) * (THREADS * PER_THREAD) + thread;
  for (var j = 0u; j < PER_THREAD; j++) {
    let i = start + j * THREADS;
    if (i >= params.size) { return; }
    let g = gradient[i];
    let first = params.beta1 * m[i] + params.fresh1 * g;
    let second = params.beta2 * v[i] + params.fresh2 * g * g;
    m[i] = first;
    v[i] = second;
    value[i] = keep * value[i] - rate * first / (sqrt(second) + params.epsilon);
  }
}
