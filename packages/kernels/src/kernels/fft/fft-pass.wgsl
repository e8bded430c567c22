// One pass of a Fourier transform of rows of 2^p complex numbers (Stockham's, which leaves them in order): for j < half and
// k < done, with half * done = length / 2 and w = exp(-+ 2 pi i / length),
//   y[k + 2 j done] = a + b,   y[k + 2 j done + done] = (a - b) w^(j done),   a = x[k + j done], b = x[k + (j + half) done]

const THREADS: u32 = 64u; // @tune

// scale: 1, or 1/2 in each pass of the inverse; sign: 1, or -1 for the inverse.
struct Params { size: u32, length: u32, done: u32, scale: f32, sign: f32 }

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
  let pairs = params.length / 2u;
  let row = i / pairs * params.length;
  let j = i % pairs / params.done;
  let k = i % params.done;
  let source = row + k + j * params.done;
  let a = vec2f(re[source], im[source]);
  let b = vec2f(re[source + pairs], im[source + pairs]);
  let root = rootOfUnity(j * params.done) * vec2f(1.0, params.sign);
  let sum = (a + b) * params.scale;
  let difference = (a - b) * params.scale;
  let place = row + k + 2u * j * params.done;
  outRe[place] = sum.x;
  outIm[place] = sum.y;
  outRe[place + params.done] = difference.x * root.x - difference.y * root.y;
  outIm[place + params.done] = difference.x * root.y + difference.y * root.x;
}
