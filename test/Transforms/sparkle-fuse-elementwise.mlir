// RUN: sparkle-opt %s --sparkle-fuse-elementwise | FileCheck %s

// What follows element by element is computed at once. The temp stays declared,
// as the kernel's functions are the same, and the equation keeps its name. Other
// operands are read as before, and a chain is one equation.
// CHECK-LABEL: sparkle.kernel @chain
// CHECK: sparkle.tensor temp "t" {{.*}}sparkle.fused
// CHECK: sparkle.tensor temp "u" {{.*}}sparkle.fused
// CHECK: sparkle.define %y ["n", "k", "c"] reductions 1
// CHECK:   %[[SUM:.*]] = sparkle.sum
// CHECK:   %[[SIGMOID:.*]] = sparkle.activate sigmoid %[[SUM]]
// CHECK:   %[[GATED:.*]] = arith.mulf %[[SUM]], %[[SIGMOID]]
// CHECK:   %[[B:.*]] = sparkle.read %b (d0, d1, d2) -> (d1)
// CHECK:   %[[ALL:.*]] = arith.addf %[[GATED]], %[[B]]
// CHECK:   sparkle.yield %[[ALL]]
// CHECK: {sparkle.equation = "t"}
// CHECK-NOT: sparkle.define
sparkle.kernel @chain sizes ["N"] {
  %x = sparkle.tensor input "x" extents ()[s0] -> (s0, 32) : <?x32xf32, (d0, d1) -> (d0, d1)>
  %b = sparkle.tensor input "b" extents ()[s0] -> (16) : <16xf32, (d0) -> (d0)>
  %w = sparkle.tensor weight "w" extents ()[s0] -> (16, 32) : <16x32xf32, (d0, d1) -> (d0, d1)>
  %t = sparkle.tensor temp "t" extents ()[s0] -> (s0, 16) : <?x16xf32, (d0, d1) -> (d0, d1)>
  %u = sparkle.tensor temp "u" extents ()[s0] -> (s0, 16) : <?x16xf32, (d0, d1) -> (d0, d1)>
  %y = sparkle.tensor output "y" extents ()[s0] -> (s0, 16) : <?x16xf32, (d0, d1) -> (d0, d1)>
  sparkle.define %t ["n", "k", "c"] reductions 1 extents ()[s0] -> (s0, 16, 32) {
    %0 = sparkle.sum {
      %1 = sparkle.read %x (d0, d1, d2) -> (d0, d2) : <?x32xf32, (d0, d1) -> (d0, d1)> -> f32
      %2 = sparkle.read %w (d0, d1, d2) -> (d1, d2) : <16x32xf32, (d0, d1) -> (d0, d1)> -> f32
      %3 = arith.mulf %1, %2 : f32
      sparkle.yield %3 : f32
    } : f32
    sparkle.yield %0 : f32
  } : <?x16xf32, (d0, d1) -> (d0, d1)>
  sparkle.define %u ["n", "k"] reductions 0 extents ()[s0] -> (s0, 16) {
    %0 = sparkle.read %t (d0, d1) -> (d0, d1) : <?x16xf32, (d0, d1) -> (d0, d1)> -> f32
    %1 = sparkle.read %t (d0, d1) -> (d0, d1) : <?x16xf32, (d0, d1) -> (d0, d1)> -> f32
    %2 = sparkle.activate sigmoid %1 : f32
    %3 = arith.mulf %0, %2 : f32
    sparkle.yield %3 : f32
  } : <?x16xf32, (d0, d1) -> (d0, d1)>
  sparkle.define %y ["i", "j"] reductions 0 extents ()[s0] -> (s0, 16) {
    %0 = sparkle.read %u (d0, d1) -> (d0, d1) : <?x16xf32, (d0, d1) -> (d0, d1)> -> f32
    %1 = sparkle.read %b (d0, d1) -> (d1) : <16xf32, (d0) -> (d0)> -> f32
    %2 = arith.addf %0, %1 : f32
    sparkle.yield %2 : f32
  } : <?x16xf32, (d0, d1) -> (d0, d1)>
}
