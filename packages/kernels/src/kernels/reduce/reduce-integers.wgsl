// y[o, i] = reduction over r of x[o, r, i], of integers and bools, exact where floats would round (above 2^24) and
// modulo 2^32 beyond: sum, maximum, minimum, index of the first maximum or minimum, product. Otherwise as reduce.wgsl.

const THREADS: u32 = 64u; // @tune

// 0 sum, 1 maximum, 2 minimum, 3 index of the maximum, 4 index of the minimum, 5 product
override OP: u32 = 0u;

struct Params { outputs: u32, length: u32, inner: u32 }

@group(0) @binding(0) var<storage, read> x: array<i32>;
@group(0) @binding(1) var<storage, read_write> y: array<i32>;
@group(0) @binding(2) var<uniform> params: Params;

var<workgroup> values: array<i32, THREADS>;
var<workgroup> indices: array<u32, THREADS>;

fn better(value: i32, index: u32, than: i32, thanIndex: u32) -> bool {
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
  var value = 0;
  var index = min(thread, params.length - 1u);
  if (OP == 5u) { value = 1; }
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
  if (thread == 0u) { y[o] = select(values[0], i32(indices[0]), OP == 3u || OP == 4u); }
}
