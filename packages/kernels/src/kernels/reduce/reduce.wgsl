// y[o, i] = reduction over r of x[o, r, i]: sum, maximum, minimum, the index of the first maximum or minimum, or product.
// A maximum or minimum with a NaN is one; an index is that of a number, unless a NaN comes first.
// One workgroup makes one output; its threads walk r in strides of THREADS and merge in workgroup memory.

const THREADS: u32 = 64u; // @tune

// 0 sum, 1 maximum, 2 minimum, 3 index of the maximum, 4 index of the minimum, 5 product
override OP: u32 = 0u;

struct Params { outputs: u32, length: u32, inner: u32, scale: f32 }

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;
@group(0) @binding(2) var<uniform> params: Params;

var<workgroup> values: array<f32, THREADS>;
var<workgroup> indices: array<u32, THREADS>;

// By the bits, as a compiler may assume that there are no NaNs.
fn isNan(v: f32) -> bool { return (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u; }

// Of two NaNs neither is better than the other.
fn better(value: f32, index: u32, than: f32, thanIndex: u32) -> bool {
  if (isNan(value) || isNan(than)) {
    if (OP <= 2u) { return isNan(value) && !isNan(than); }
    return select(!isNan(value) && thanIndex != 0u, index == 0u, isNan(value));
  }
  if (value == than) { return index < thanIndex; }
  if (OP == 1u || OP == 3u) { return value > than; }
  return value < than;
}

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let o = group.y * groups.x + group.x;
  if (o >= params.outputs) { return; }
  let start = o / params.inner * params.length * params.inner + o % params.inner;
  var value = 0.0;
  var index = min(thread, params.length - 1u);
  if (OP == 5u) { value = 1.0; }
  else if (OP != 0u) { value = x[start + index * params.inner]; }
  for (var r = thread; r < params.length; r += THREADS) {
    let v = x[start + r * params.inner];
    if (OP == 0u) { value += v; }
    else if (OP == 5u) { value *= v; }
    else if (better(v, r, value, index)) { value = v; index = r; }
  }
  values[thread] = value;
  indices[thread] = index;
  workgroupBarrier();
  for (var half = THREADS / 2u; half > 0u; half /= 2u) {
    if (thread < half) {
      if (OP == 0u) { values[thread] += values[thread + half]; }
      else if (OP == 5u) { values[thread] *= values[thread + half]; }
      else if (better(values[thread + half], indices[thread + half], values[thread], indices[thread])) {
        values[thread] = values[thread + half];
        indices[thread] = indices[thread + half];
      }
    }
    workgroupBarrier();
  }
  if (thread == 0u) {
    if (OP == 3u || OP == 4u) { y[o] = indices[0]; }
    else { y[o] = bitcast<u32>(values[0] * params.scale); }
  }
}
