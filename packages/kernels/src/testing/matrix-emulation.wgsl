// Subgroup matrices in plain WGSL, for devices that have none: what emulate-matrices.ts puts in their place. Every LANES
// threads in a row play a subgroup, whatever the device's own size, and a result's rows and columns are dealt out over them.
// An operand is where it lies in workgroup memory, read when it is multiplied: it must not be used past a barrier, behind
// which others may have written there, and the product is NaN if it is.

enable f16;

const M: u32 = 16u;
const N: u32 = 16u;
const K: u32 = 16u;
const LANES: u32 = 32u;
var<workgroup> tiles: array<vec4u, 256>;

@group(0) @binding(0) var<storage, read_write> y: array<vec4u>;

@compute @workgroup_size(LANES)
fn main(@builtin(local_invocation_index) thread: u32) {
  lane = thread % LANES;
  zero = thread / 65536u;
  tiles[thread] = y[thread];
  barrier();
  let a = loadLeftRowMajor(0u, 3u);
  let b = loadRightColMajor(64u, 3u);
  let ab = multiplyAccumulate(a, b, Result());
  let more = multiplyAccumulate(loadLeftColMajor(0u, 3u), loadRightRowMajor(64u, 3u), ab);
  barrier();
  storeRowMajor(0u, more, 5u);
  barrier();
  y[thread] = tiles[thread];
}

// --- what is put in
const LANE_ROWS = max(1u, M / LANES);
const LANE_COLS = N / max(1u, LANES / M);
/** The half in row m and depth k lies at start + m * row + k * depth. */
struct Left { start: u32, row: u32, depth: u32, barriers: u32 }
/** The half in depth k and column n lies at start + n * column + k * depth. */
struct Right { start: u32, column: u32, depth: u32, barriers: u32 }
struct Result { rows: array<array<f32, LANE_COLS>, LANE_ROWS> }
var<private> lane: u32;
var<private> barriers: u32;
/** Always 0, which compilers cannot know: they would unroll every loop and take minutes. */
var<private> zero: u32;

fn barrier() {
  workgroupBarrier();
  barriers++;
}

fn rowOf(r: u32) -> u32 { return (lane + r * LANES) % M; }
fn columnOf(c: u32) -> u32 { return lane / M * LANE_COLS + c; }
fn halfAt(i: u32) -> f32 { return f32(bitcast<vec2h>(tiles[i / 8u][i / 2u % 4u])[i % 2u]); }

fn loadLeftRowMajor(offset: u32, stride: u32) -> Left { return Left(8u * offset, 8u * stride, 1u, barriers); }
fn loadLeftColMajor(offset: u32, stride: u32) -> Left { return Left(8u * offset, 1u, 8u * stride, barriers); }
fn loadRightRowMajor(offset: u32, stride: u32) -> Right { return Right(8u * offset, 1u, 8u * stride, barriers); }
fn loadRightColMajor(offset: u32, stride: u32) -> Right { return Right(8u * offset, 8u * stride, 1u, barriers); }

fn multiplyAccumulate(a: Left, b: Right, sum: Result) -> Result {
  var result = sum;
  let isStale = a.barriers != barriers || b.barriers != barriers;
  for (var r = zero; r < LANE_ROWS; r++) {
    for (var c = zero; c < LANE_COLS; c++) {
      var s = select(result.rows[r][c], bitcast<f32>(0x7fc00000u + zero), isStale);
      for (var k = zero; k < K; k++) {
        s = fma(halfAt(a.start + rowOf(r) * a.row + k * a.depth), halfAt(b.start + columnOf(c) * b.column + k * b.depth), s);
      }
      result.rows[r][c] = s;
    }
  }
  return result;
}

/** Float32, four columns to a vector. */
fn storeRowMajor(offset: u32, value: Result, stride: u32) {
  for (var r = zero; r < LANE_ROWS; r++) {
    for (var c = zero; c < LANE_COLS; c += 4u) {
      let four = vec4f(value.rows[r][c], value.rows[r][c + 1u], value.rows[r][c + 2u], value.rows[r][c + 3u]);
      tiles[offset + rowOf(r) * stride + columnOf(c) / 4u] = bitcast<vec4u>(four);
    }
  }
}
