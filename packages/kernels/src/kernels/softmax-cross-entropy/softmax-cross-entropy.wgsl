// One workgroup per row of logits [rows, classes]; with m = max_c logits[c], s = sum_c exp(logits[c] - m) and the target
// q[c] = (1 - smoothing) (c == label) + smoothing / classes (label smoothing: Szegedy et al. 2016, section 7):
//   loss = log(s) + sum_c q[c] (m - logits[c])
//   gradient[c] = exp(logits[c] - m) / s - q[c]
// A label outside [0, classes) chooses no class: its loss is about 3.4e38, which no training overlooks.

const THREADS: u32 = 128u; // @tune
const_assert (THREADS & (THREADS - 1u)) == 0u;

struct Params {
  rows: u32,
  classes: u32,
  smoothing: f32,
}

@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read> labels: array<i32>;
@group(0) @binding(2) var<storage, read_write> loss: array<f32>;
@group(0) @binding(3) var<storage, read_write> gradient: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

var<workgroup> partial: array<f32, THREADS>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let row = group.y * groups.x + group.x;
  let isInside = row < params.rows;
  let start = row * params.classes;

  var largest = -3.4028234e38;
  if (isInside) {
    for (var c = thread; c < params.classes; c += THREADS) { largest = max(largest, logits[start + c]); }
  }
  partial[thread] = largest;
  workgroupBarrier();
  for (var half = THREADS / 2u; half > 0u; half /= 2u) {
    if (thread < half) { partial[thread] = max(partial[thread], partial[thread + half]); }
    workgroupBarrier();
  }
  largest = partial[0];
  workgroupBarrier();

  var sum = 0.0;
  if (isInside) {
    for (var c = thread; c < params.classes; c += THREADS) { sum += exp(logits[start + c] - largest); }
  }
  partial[thread] = sum;
  workgroupBarrier();
  for (var half = THREADS / 2u; half > 0u; half /= 2u) {
    if (thread < half) { partial[thread] += partial[thread + half]; }
    workgroupBarrier();
  }
  sum = partial[0];

  let share = params.smoothing / f32(params.classes);
  var distance = 0.0; // sum_c (m - logits[c])
  if (params.smoothing > 0.0) {
    workgroupBarrier();
    if (isInside) {
      for (var c = thread; c < params.classes; c += THREADS) { distance += largest - logits[start + c]; }
    }
    partial[thread] = distance;
    workgroupBarrier();
    for (var half = THREADS / 2u; half > 0u; half /= 2u) {
      if (thread < half) { partial[thread] += partial[thread + half]; }
      workgroupBarrier();
    }
    distance = partial[0];
  }

  if (isInside) {
    let label = labels[row];
    let hit = 1.0 - params.smoothing;
    for (var c = thread; c < params.classes; c += THREADS) {
      let wanted = select(0.0, hit, i32(c) == label) + share;
      gradient[start + c] = exp(logits[start + c] - largest) / sum - wanted;
    }
    if (thread == 0u) {
      var chosen = -3.4028234e38;
      if (label >= 0 && label < i32(params.classes)) { chosen = logits[start + u32(label)]; }
      loss[row] = log(sum) + (hit * (largest - chosen) + share * distance);
    }
  }
}
