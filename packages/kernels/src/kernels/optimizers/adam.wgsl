// One step of Adam, in place, with rates = (rate, keep),
// rate = learningRate sqrt(1 - beta2^t) / (1 - beta1^t), keep = 1 - learningRate weightDecay:
//   m = beta1 m + (1 - beta1) gradient,  v = beta2 v + (1 - beta2) gradient^2
//   value = keep value - rate m / (sqrt(v) + epsilon)
// Under loss scaling (SCALED) the gradient is scaling[0] times what is given, and a step for which scaling[1] is not 0 does
// nothing; rates = (learningRate, keep, steps), of which scaling[2] were skipped: t is the rest.

const PER_THREAD: u32 = 4u; // @tune
const THREADS: u32 = 256u;  // @tune

override SCALED: bool = false;

struct Params {
  size: u32, // vectors of four; the last may reach past the tensor into its padding
  beta1: f32,
  beta2: f32,
  fresh1: f32, // 1 - beta1, rounded once from float64
  fresh2: f32, // 1 - beta2
  epsilon: f32,
  logBeta1: f32,
  logBeta2: f32,
}

@group(0) @binding(0) var<storage, read> gradient: array<vec4f>;
@group(0) @binding(1) var<storage, read> rates: array<f32>;
@group(0) @binding(2) var<storage, read_write> value: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> m: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> v: array<vec4f>;
@group(0) @binding(5) var<storage, read> scaling: array<f32>;
@group(0) @binding(6) var<uniform> params: Params;

// 1 - exp(x) for x < 0, by the series where 1 would cancel: at |x| < 1/2 what it leaves out is 2^-9 / 10! = 5e-10.
fn oneMinusExp(x: f32) -> f32 {
  if (x < -0.5) { return 1.0 - exp(x); }
  var sum = 1.0;
  for (var n = 9.0; n > 1.0; n -= 1.0) { sum = 1.0 + sum * x / n; }
  return -x * sum;
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  if (SCALED && scaling[1] != 0.0) { return; }
  var rate = rates[0];
  if (SCALED) {
    let t = rates[2] - scaling[2];
    rate *= sqrt(oneMinusExp(t * params.logBeta2)) / oneMinusExp(t * params.logBeta1);
  }
  let keep = rates[1];
  let start = (group.y * groups.x + group.x) * (THREADS * PER_THREAD) + thread;
  for (var j = 0u; j < PER_THREAD; j++) {
    let i = start + j * THREADS;
    if (i >= params.size) { return; }
    var g = gradient[i];
    if (SCALED) { g *= scaling[0]; }
    let first = params.beta1 * m[i] + params.fresh1 * g;
    let second = params.beta2 * v[i] + params.fresh2 * g * g;
    m[i] = first;
    v[i] = second;
    value[i] = keep * value[i] - rate * first / (sqrt(second) + params.epsilon);
  }
}
