// Images turned about a centre, NHWC, one thread per element of y: the pixel of x that comes nearest to
// (cos, -sin; sin, cos) ((ox, oy) - centre) + centre; where there is none, the fill of the channel.

const THREADS: u32 = 64u; // @tune

struct Params { size: u32, channels: u32, height: u32, width: u32, centerX: f32, centerY: f32, cosine: f32, sine: f32 }

@group(0) @binding(0) var<storage, read> x: array<f32>;
// One value for each channel.
@group(0) @binding(1) var<storage, read> fill: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let at = (group.y * groups.x + group.x) * THREADS + thread;
  if (at >= params.size) { return; }
  let c = at % params.channels;
  let dx = f32(at / params.channels % params.width) - params.centerX;
  let dy = f32(at / params.channels / params.width % params.height) - params.centerY;
  let n = at / params.channels / params.width / params.height;
  let ix = floor(dx * params.cosine - dy * params.sine + params.centerX + 0.5);
  let iy = floor(dx * params.sine + dy * params.cosine + params.centerY + 0.5);
  if (ix < 0.0 || ix >= f32(params.width) || iy < 0.0 || iy >= f32(params.height)) { y[at] = fill[c]; return; }
  y[at] = x[((n * params.height + u32(iy)) * params.width + u32(ix)) * params.channels + c];
}
