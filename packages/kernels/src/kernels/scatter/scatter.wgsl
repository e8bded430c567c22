// y[indices[n], k] takes the updates[n, k]: their sum in the order of n is added, or the last one is put there. Updates with
// a negative index, or one beyond y, are dropped. A thread belongs to one element of the updates; of all that have the same
// index one does the work, so that there are no atomics and the result is the same each time: when adding the first, which
// adds the others up, when putting the last.

const THREADS: u32 = 64u; // @tune

override ADD: bool = true;
override FLOAT: bool = true;
// The updates are all this one value.
override SINGLE: bool = false;

struct Params { size: u32, count: u32, inner: u32, places: u32 }

@group(0) @binding(0) var<storage, read> indices: array<i32>;
@group(0) @binding(1) var<storage, read> updates: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<u32>;
@group(0) @binding(3) var<uniform> params: Params;

fn update(n: u32, k: u32) -> u32 { return updates[select(n * params.inner + k, 0u, SINGLE)]; }

fn sum(a: u32, b: u32) -> u32 {
  if (FLOAT) { return bitcast<u32>(bitcast<f32>(a) + bitcast<f32>(b)); }
  return a + b;
}

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = (group.y * groups.x + group.x) * THREADS + thread;
  if (i >= params.size) { return; }
  let n = i / params.inner;
  let k = i % params.inner;
  let index = indices[n];
  if (index < 0 || u32(index) >= params.places) { return; }
  let at = u32(index) * params.inner + k;
  if (!ADD) {
    for (var m = n + 1u; m < params.count; m++) { if (indices[m] == index) { return; } }
    y[at] = update(n, k);
    return;
  }
  for (var m = n; m > 0u; m--) { if (indices[m - 1u] == index) { return; } }
  var total = y[at];
  for (var m = n; m < params.count; m++) { if (indices[m] == index) { total = sum(total, update(m, k)); } }
  y[at] = total;
}
