// After a training step, with scaling = (1 / scale, whether a gradient was not finite, steps skipped, steps since the scale
// last changed):
//   not finite: the step was skipped; scale = backoff scale, as long as that is at least `least`
//   finite: after `interval` steps without a change, scale = growth scale, as long as that is at most `most`

struct Params {
  backoff: f32,
  inverseBackoff: f32, // 1 / backoff: with powers of two, scale and 1 / scale stay exact
  growth: f32,
  inverseGrowth: f32,
  interval: f32,
  least: f32,
  most: f32,
}

@group(0) @binding(0) var<storage, read_write> scale: array<f32>;
@group(0) @binding(1) var<storage, read_write> scaling: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(1)
fn main() {
  let before = scale[0];
  if (scaling[1] != 0.0) {
    scaling[1] = 0.0;
    scaling[2] += 1.0;
    scaling[3] = 0.0;
    if (before * params.backoff >= params.least) {
      scale[0] = before * params.backoff;
      scaling[0] *= params.inverseBackoff;
    }
    return;
  }
  scaling[3] += 1.0;
  if (scaling[3] >= params.interval) {
    scaling[3] = 0.0;
    if (before * params.growth <= params.most) {
      scale[0] = before * params.growth;
      scaling[0] *= params.inverseGrowth;
    }
  }
}
