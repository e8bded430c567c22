// y = x, PER_THREAD vectors of four in each invocation.

override THREADS: u32 = 64u;
override PER_THREAD: u32 = 8u;

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let start = group.x * THREADS * PER_THREAD + thread;
  for (var j = 0u; j < PER_THREAD; j++) {
    let i = start + j * THREADS;
    if (i < arrayLength(&x)) { y[i] = x[i]; }
  }
}
