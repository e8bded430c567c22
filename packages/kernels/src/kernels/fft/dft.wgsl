// Fourier transform of rows of any length by its definition: y[k] = scale * sum over j of x[j] exp(-+ 2 pi i j k / length).

const THREADS: u32 = 64u; // @tune

// sign: 1, or -1 for the inverse.
struct Params { size: u32, length: u32, scale: f32, sign: f32 }

@group(0) @binding(0) var<storage, read> re: array<f32>;
@group(0) @binding(1) var<storage, read> im: array<f32>;
// cos and sin of -2 pi k / length for each k, one after the other.
@group(0) @binding(2) var<storage, read> roots: array<f32>;
@group(0) @binding(3) var<storage, read_write> outRe: array<f32>;
@group(0) @binding(4) var<storage, read_write> outIm: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;

fn rootOfUnity(k: u32) -> vec2f { return vec2f(roots[2u * k], roots[2u * k + 1u]); }

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = (group.y * groups.x + group.x) * THREADS + thread;
  if (i >= params.size) { return; }
  let k = i % params.length;
  let row = i - k;
  var sum = vec2f(0.0);
  var at = 0u; // j k modulo length
  for (var j = 0u; j < params.length; j++) {
    let root = rootOfUnity(at) * vec2f(1.0, params.sign);
    let v = vec2f(re[row + j], im[row + j]);
    sum += vec2f(v.x * root.x - v.y * root.y, v.x * root.y + v.y * root.x);
    at += k;
    if (at >= params.length) { at -= params.length; }
  }
  outRe[i] = sum.x * params.scale;
  outIm[i] = sum.y * params.scale;
}
