// Gradient of resize.wgsl, one thread per element of x: the sum of dy over the pixels that it is mixed into, by its weight.
// `axes` is that of resize.wgsl; `spans` says, for each row and then each column of x, which of y's look at it: first, end.

const THREADS: u32 = 64u; // @tune

struct Params { size: u32, channels: u32, inH: u32, inW: u32, outH: u32, outW: u32 }

@group(0) @binding(0) var<storage, read> dy: array<f32>;
// lower, upper, distance, 0
@group(0) @binding(1) var<storage, read> axes: array<vec4f>;
@group(0) @binding(2) var<storage, read> spans: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

fn span(at: u32) -> u32 { return u32(spans[at]); }

// What part of the pixel i of x is in a pixel of y.
fn weight(axis: vec4f, i: u32) -> f32 {
  return select(0.0, 1.0 - axis.z, u32(axis.x) == i) + select(0.0, axis.z, u32(axis.y) == i);
}

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let at = (group.y * groups.x + group.x) * THREADS + thread;
  if (at >= params.size) { return; }
  let c = at % params.channels;
  let ix = at / params.channels % params.inW;
  let iy = at / params.channels / params.inW % params.inH;
  let n = at / params.channels / params.inW / params.inH;
  let columns = 2u * (params.inH + ix);
  var sum = 0.0;
  for (var oy = span(2u * iy); oy < span(2u * iy + 1u); oy++) {
    let vertical = weight(axes[oy], iy);
    for (var ox = span(columns); ox < span(columns + 1u); ox++) {
      let o = ((n * params.outH + oy) * params.outW + ox) * params.channels + c;
      sum += dy[o] * vertical * weight(axes[params.outH + ox], ix);
    }
  }
  y[at] = sum;
}
