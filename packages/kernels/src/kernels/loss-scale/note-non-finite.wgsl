// scaling[1] = 1 where a number of the gradient is infinite or no number; untouched where all are finite.
// Bits are looked at, as WGSL lets a compiler assume that floats are finite. Padding counts for nothing: it may hold anything.

const PER_THREAD: u32 = 4u; // @tune
const THREADS: u32 = 256u;  // @tune

struct Params {
  size: u32,    // vectors of four; the last may reach past the tensor into its padding
  length: u32,  // numbers of the tensor, where it is one
  granule: u32, // where they are many, side by side in an arena: lengths[g] of the numbers from g granule on are a tensor's
}

@group(0) @binding(0) var<storage, read> gradient: array<vec4u>;
@group(0) @binding(1) var<storage, read> lengths: array<u32>;
@group(0) @binding(2) var<storage, read_write> scaling: array<atomic<u32>>;
@group(0) @binding(3) var<uniform> params: Params;

const EXPONENT = vec4u(0x7f800000u);
const ONE = 0x3f800000u; // 1.0

fn lengthFrom(start: u32) -> u32 {
  var end = params.length;
  if (params.granule > 0u) {
    let g = start / params.granule;
    end = g * params.granule + lengths[g];
  }
  return end - min(start, end);
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let start = (group.y * groups.x + group.x) * (THREADS * PER_THREAD) + thread;
  for (var j = 0u; j < PER_THREAD; j++) {
    let i = start + j * THREADS;
    if (i >= params.size) { return; }
    let isFound = (gradient[i] & EXPONENT) == EXPONENT;
    if (any(isFound)) {
      let isNumber = vec4u(0u, 1u, 2u, 3u) < vec4u(lengthFrom(4u * i));
      if (any(isFound & isNumber)) { atomicStore(&scaling[1], ONE); }
    }
  }
}
