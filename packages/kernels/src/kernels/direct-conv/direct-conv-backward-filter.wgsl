// Gradient of direct-conv.wgsl by its filter:
//   dw[kz, ky, kx, i, o] = sum over (n, oz, oy, ox) of x[n, iz, iy, ix, g * perIn + i] * dy[n, oz, oy, ox, o]
// A workgroup makes COLS neighbouring filter elements of one tap; its ROWS share the output pixels of each.

const COLS: u32 = 16u; // @tune
const ROWS: u32 = 4u;  // @tune

struct Params {
  tiles: u32, // workgroups: taps times those of one tap
  batch: u32,
  inD: u32, inH: u32, inW: u32, inC: u32,
  outD: u32, outH: u32, outW: u32, outC: u32,
  kD: u32, kH: u32, kW: u32,
  strideD: u32, strideH: u32, strideW: u32,
  dilationD: u32, dilationH: u32, dilationW: u32,
  padFront: i32, padTop: i32, padLeft: i32,
  perIn: u32, perOut: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

var<workgroup> sums: array<f32, COLS * ROWS>;

@compute @workgroup_size(COLS * ROWS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let tile = group.y * groups.x + group.x;
  if (tile >= params.tiles) { return; }
  let perTap = params.perIn * params.outC;
  let tilesOfTap = (perTap + COLS - 1u) / COLS;
  let tap = tile / tilesOfTap;
  let element = tile % tilesOfTap * COLS + thread % COLS;
  let kx = tap % params.kW;
  let ky = tap / params.kW % params.kH;
  let kz = tap / params.kW / params.kH;
  let o = element % params.outC;
  let channel = o / params.perOut * params.perIn + element / params.outC;
  let pixels = select(0u, params.batch * params.outD * params.outH * params.outW, element < perTap);
  var sum = 0.0;
  for (var p = thread / COLS; p < pixels; p += ROWS) {
    var rest = p;
    let ox = rest % params.outW; rest /= params.outW;
    let oy = rest % params.outH; rest /= params.outH;
    let oz = rest % params.outD;
    let n = rest / params.outD;
    let iz = i32(oz * params.strideD + kz * params.dilationD) - params.padFront;
    let iy = i32(oy * params.strideH + ky * params.dilationH) - params.padTop;
    let ix = i32(ox * params.strideW + kx * params.dilationW) - params.padLeft;
    if (iz < 0 || iz >= i32(params.inD) || iy < 0 || iy >= i32(params.inH) || ix < 0 || ix >= i32(params.inW)) { continue; }
    let pixel = ((n * params.inD + u32(iz)) * params.inH + u32(iy)) * params.inW + u32(ix);
    sum = fma(x[pixel * params.inC + channel], dy[p * params.outC + o], sum);
  }
  sums[thread] = sum;
  workgroupBarrier();
  if (thread < COLS && element < perTap) {
    for (var r = 1u; r < ROWS; r++) { sum += sums[thread + r * COLS]; }
    y[tap * perTap + element] = sum;
  }
}
