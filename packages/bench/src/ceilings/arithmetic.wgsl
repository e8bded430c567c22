// 2 x 4 x 3 x 1024 float32 operations in each invocation, on registers alone: twelve independent chains of fused
// multiply-adds, enough to hide their latency and few enough to stay in a processor's vector registers.

override THREADS: u32 = 64u;

@group(0) @binding(0) var<storage, read_write> y: array<vec4f>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let i = group.x * THREADS + thread;
  let factor = f32(i & 7u) * 1e-3 + 0.5;
  var a = vec4f(0.1);
  var b = vec4f(0.2);
  var c = vec4f(0.3);
  for (var n = 0u; n < 1024u; n++) {
    a = fma(a, vec4f(factor), vec4f(factor));
    b = fma(b, vec4f(factor), vec4f(factor));
    c = fma(c, vec4f(factor), vec4f(factor));
  }
  y[i & 1023u] = a + b + c;
}
