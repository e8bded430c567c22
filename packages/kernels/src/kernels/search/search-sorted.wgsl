// y[b, v] = the first place in the sorted row x[b] whose element is not smaller than (AFTER: larger than) values[b, v].

const THREADS: u32 = 64u; // @tune

override AFTER: bool = false;
override FLOAT: bool = true;

struct Params { size: u32, count: u32, length: u32 }

@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read> values: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<i32>;
@group(0) @binding(3) var<uniform> params: Params;

// Whether an element of x lies before the place of v.
fn isBefore(element: u32, v: u32) -> bool {
  if (FLOAT) {
    let a = bitcast<f32>(element);
    let b = bitcast<f32>(v);
    return a < b || (AFTER && a == b);
  }
  return bitcast<i32>(element) < bitcast<i32>(v) || (AFTER && element == v);
}

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = (group.y * groups.x + group.x) * THREADS + thread;
  if (i >= params.size) { return; }
  let row = i / params.count * params.length;
  var low = 0u;
  var high = params.length;
  while (low < high) {
    let middle = (low + high) / 2u;
    if (isBefore(x[row + middle], values[i])) { low = middle + 1u; } else { high = middle; }
  }
  y[i] = i32(high);
}
