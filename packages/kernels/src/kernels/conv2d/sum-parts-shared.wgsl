// What sum-parts.wgsl computes, by SHARES threads for each vector of four sums: a thread adds up perShare parts that follow one
// another, in order, and these sums are added up pairwise in workgroup memory. The order depends on SHARES and perShare alone.
// A part's numbers, and its columns, are multiples of 4.

alias Stored4 = vec4f; // @stored

const SHARES: u32 = 16u;   // @tune
const THREADS: u32 = 256u; // @tune
const VECTORS = THREADS / SHARES;
const_assert (SHARES & (SHARES - 1u)) == 0u && VECTORS * SHARES == THREADS;

override HAS_BIAS: bool = false;
override HAS_RESIDUAL: bool = false;
override RELU: bool = false;

struct Params {
  size: u32,    // vectors of a part
  columns: u32, // vectors of a row
  count: u32,
  perShare: u32,
}

@group(0) @binding(0) var<storage, read> parts: array<vec4f>;
@group(0) @binding(1) var<storage, read> bias: array<vec4f>;
@group(0) @binding(2) var<storage, read> residual: array<Stored4>;
@group(0) @binding(3) var<storage, read_write> sum: array<Stored4>;
@group(0) @binding(4) var<uniform> params: Params;

var<workgroup> sums: array<vec4f, THREADS>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let i = (group.y * groups.x + group.x) * VECTORS + thread % VECTORS;
  let isInside = i < params.size;
  var v = vec4f(0.0);
  if (isInside) {
    var part = thread / VECTORS * params.perShare;
    let end = min(part + params.perShare, params.count);
    // Four loads that wait for nothing but their addresses; the additions keep their order.
    for (; part + 4u <= end; part += 4u) {
      let at = part * params.size + i;
      let first = parts[at];
      let second = parts[at + params.size];
      let third = parts[at + 2u * params.size];
      let fourth = parts[at + 3u * params.size];
      v = (((v + first) + second) + third) + fourth;
    }
    for (; part < end; part++) { v += parts[part * params.size + i]; }
  }
  if (SHARES > 1u) {
    sums[thread] = v;
    workgroupBarrier();
    for (var half = THREADS / 2u; half >= VECTORS; half /= 2u) {
      if (thread < half) { sums[thread] += sums[thread + half]; }
      workgroupBarrier();
    }
    if (thread >= VECTORS) { return; }
    v = sums[thread];
  }
  if (!isInside) { return; }
  if (HAS_BIAS) { v += bias[i % params.columns]; }
  if (HAS_RESIDUAL) { v += vec4f(residual[i]); }
  if (RELU) { v = select(v, vec4f(0.0), v < vec4f(0.0)); } // a NaN stays one
  sum[i] = Stored4(v);
}
