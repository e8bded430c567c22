// y[o, r, i] = x[o, 0, i] + … + x[o, r, i], or the product of them; EXCLUSIVE leaves x[o, r, i] out, REVERSE goes from the
// other end. One workgroup makes one line: each thread a stretch of it, from what the stretches before it come to.

const THREADS: u32 = 64u; // @tune

override PRODUCT: bool = false;
override FLOAT: bool = true;
override EXCLUSIVE: bool = false;
override REVERSE: bool = false;

struct Params { lines: u32, length: u32, inner: u32 }

@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;
@group(0) @binding(2) var<uniform> params: Params;

var<workgroup> stretches: array<u32, THREADS>;

fn combine(a: u32, b: u32) -> u32 {
  if (FLOAT) {
    let p = bitcast<f32>(a);
    let q = bitcast<f32>(b);
    return bitcast<u32>(select(p + q, p * q, PRODUCT));
  }
  return select(a + b, a * b, PRODUCT);
}

// What nothing comes to.
fn neutral() -> u32 {
  if (!PRODUCT) { return 0u; }
  return select(1u, bitcast<u32>(1.0), FLOAT);
}

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let line = group.y * groups.x + group.x;
  if (line >= params.lines) { return; }
  let start = line / params.inner * params.length * params.inner + line % params.inner;
  let stretch = (params.length + THREADS - 1u) / THREADS;
  let first = min(thread * stretch, params.length);
  let end = min(first + stretch, params.length);
  var total = neutral();
  for (var r = first; r < end; r++) {
    let at = start + select(r, params.length - 1u - r, REVERSE) * params.inner;
    total = combine(total, x[at]);
  }
  stretches[thread] = total;
  workgroupBarrier();
  var sum = neutral();
  for (var t = 0u; t < thread; t++) { sum = combine(sum, stretches[t]); }
  for (var r = first; r < end; r++) {
    let at = start + select(r, params.length - 1u - r, REVERSE) * params.inner;
    let next = combine(sum, x[at]);
    y[at] = select(next, sum, EXCLUSIVE);
    sum = next;
  }
}
