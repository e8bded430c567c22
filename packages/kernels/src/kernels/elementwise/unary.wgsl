// y[i] = f(x[i]) for one of the functions below; f is fixed when the pipeline is made.

const THREADS: u32 = 64u; // @tune

override OP: u32 = 0u;

struct Params { size: u32, a: f32, b: f32 }

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

fn apply(v: f32) -> f32 {
  switch (OP) {
    case 0u: { return select(v, 0.0, v < 0.0); } // a NaN stays one
    case 1u: { return -v; }
    case 2u: { return exp(v); }
    case 3u: { return log(v); }
    case 4u: { return sqrt(v); }
    case 5u: { return 1.0 / sqrt(v); }
    case 6u: { return v * v; }
    case 7u: { return abs(v); }
    case 8u: { return 1.0 / (1.0 + exp(-v)); }
    // Clamped, because exp(2v) overflows where tanh has long been 1.
    case 9u: { return tanh(clamp(v, -15.0, 15.0)); }
    case 10u: { return 1.0 / v; }
    case 11u: { return sign(v); }
    case 12u: { return floor(v); }
    case 13u: { return select(params.a, 1.0, v > 0.0); } // a is Step's alpha
    case 14u: { return clamp(v, params.a, params.b); }
    case 15u: { return clamp(v, 0.0, 6.0); }
    case 16u: { return select(v, exp(v) - 1.0, v < 0.0); }
    case 17u: { return select(v, params.a * v, v < 0.0); } // a is LeakyRelu's alpha
    default: { return v; }
  }
}

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = (group.y * groups.x + group.x) * THREADS + thread;
  if (i < params.size) { y[i] = apply(x[i]); }
}
