// RUN: sparkle-opt %s --sparkle-tile --sparkle-stage --sparkle-split-border --canonicalize | FileCheck %s

// Where only the call knows the extent: the first tile, if it is inside at the
// other end; those inside; and those behind, which may begin at the first one.
// The single elements of the rest clamp the loop over the taps at both ends.
// CHECK-DAG: #[[FIRST:.*]] = affine_map<(d0) -> (0, d0)>
// CHECK-DAG: #[[FIRST_END:.*]] = affine_map<(d0)[s0] -> (4, s0 - 4, d0 - 3)>
// CHECK-DAG: #[[INNER:.*]] = affine_map<(d0) -> (4, d0)>
// CHECK-DAG: #[[INNER_END:.*]] = affine_map<(d0)[s0] -> (s0 - 4, d0 - 3)>
// CHECK-DAG: #[[BEHIND:.*]] = affine_map<(d0)[s0] -> (d0, ((s0 - 4) ceildiv 4) * 4)>
// CHECK-DAG: #[[LOW:.*]] = affine_map<(d0) -> (-d0 + 1, 0)>
// CHECK-DAG: #[[HIGH:.*]] = affine_map<(d0)[s0] -> (-d0 + s0 + 1, 3)>
// CHECK-LABEL: sparkle.kernel @run_time
// CHECK: sparkle.workers ["k", "q"] (%{{.*}}, %[[AT:.*]]) extents
// CHECK: %[[FIRST_TILE:.*]] = affine.max #[[FIRST]](%[[AT]])
// CHECK: %[[FIRST_TO:.*]] = affine.min #[[FIRST_END]](%{{.*}})[%{{.*}}]
// CHECK: sparkle.loop registers %{{.*}} = %[[FIRST_TILE]] to %[[FIRST_TO]] step 4 {
// CHECK: %[[FROM:.*]] = affine.max #[[INNER]](%[[AT]])
// CHECK: %[[TO:.*]] = affine.min #[[INNER_END]](%{{.*}})[%{{.*}}]
// CHECK: sparkle.loop registers %{{.*}} = %[[FROM]] to %[[TO]] step 4 {
// CHECK: %[[START:.*]] = affine.max #[[BEHIND]](%[[AT]])[%{{.*}}]
// CHECK: sparkle.loop registers %{{.*}} = %[[START]] to %{{.*}} step 4 {
// CHECK: sparkle.loop registers %{{.*}} step 2 {
// CHECK: sparkle.loop registers %[[Q:.*]] = %{{.*}} step 1 {
// CHECK: %[[LOWER:.*]] = affine.max #[[LOW]](%[[Q]])
// CHECK: %[[UPPER:.*]] = affine.min #[[HIGH]](%[[Q]])[%{{.*}}]
// CHECK: sparkle.loop registers %{{.*}} = %[[LOWER]] to %[[UPPER]] step 1 carry
sparkle.kernel @run_time sizes ["W"] {
  %x = sparkle.tensor input "x" extents ()[s0] -> (8, s0) : !sparkle.tensor<8x?xf32, (d0, d1) -> (d0, d1)>
  %w = sparkle.tensor input "w" extents ()[s0] -> (16, 8, 3) : !sparkle.tensor<16x8x3xf32, (d0, d1, d2) -> (d1, d2, d0)>
  %y = sparkle.tensor output "y" extents ()[s0] -> (16, s0) : !sparkle.tensor<16x?xf32, (d0, d1) -> (d1, d0)>
  sparkle.define %y ["k", "q", "c", "s"] reductions 2 extents ()[s0] -> (16, s0, 8, 3)
      pattern <workers = [16, 64, 1, 1], near = [1, 1, 8, 3], stage = [], registers = [16, 4, 1, 1], lanes = [16, 1, 1, 1], unroll = [1, 1, 4, 1], order = [0, 1, 3, 2]> {
    %0 = sparkle.sum {
      %1 = sparkle.read %x (k, q, c, s) -> (c, q * 1 + s * 1 - 1) : !sparkle.tensor<8x?xf32, (d0, d1) -> (d0, d1)> -> f32
      %2 = sparkle.read %w (k, q, c, s) -> (k, c, s) : !sparkle.tensor<16x8x3xf32, (d0, d1, d2) -> (d1, d2, d0)> -> f32
      %3 = arith.mulf %1, %2 : f32
      sparkle.yield %3 : f32
    } : f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<16x?xf32, (d0, d1) -> (d1, d0)>
}
