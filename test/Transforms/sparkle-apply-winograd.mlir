// RUN: sparkle-opt %s --split-input-file --verify-diagnostics --sparkle-apply-winograd | FileCheck %s

// Three equations for one: tiles of the input in another basis, products, and
// the way back. What stood around the sum stands around the last.
// CHECK-LABEL: sparkle.kernel @conv
// CHECK: %[[IN:.*]] = sparkle.tensor temp "y.input" extents ()[s0] -> (s0, 64, 28, 28, 4, 4) : <?x64x28x28x4x4xf32, (d0, d1, d2, d3, d4, d5) -> (d0, d4, d5, d2, d3, d1)>
// CHECK: %[[B:.*]] = sparkle.constant dense<{{\[\[}}1.000000e+00, 0.000000e+00, -1.000000e+00, 0.000000e+00]
// CHECK: sparkle.define %[[IN]] ["n", "c", "p.tile", "q.tile", "p.row", "q.row", "r", "s"] reductions 2 {{.*}}registers = [1, 8, 1, 1, 4, 4, 1, 1], lanes = [1, 8, 1, 1, 1, 1, 1, 1], unroll = [1, 1, 1, 1, 1, 1, 4, 4]
// CHECK:   sparkle.read %[[B]] {{.*}} -> (d4, d6)
// CHECK:   sparkle.read %[[B]] {{.*}} -> (d5, d7)
// CHECK:   sparkle.read %{{.*}} -> (d0, d1, d2 * 2 + d6 - 1, d3 * 2 + d7 - 1)
// CHECK: %[[U:.*]] = sparkle.transform %{{.*}} along [2, 3] by dense<{{.*}}5.000000e-01{{.*}}> : tensor<4x3xf64> {{.*}} to <32x64x4x4xf32
// CHECK: %[[OUT:.*]] = sparkle.tensor temp "y.product" extents ()[s0] -> (s0, 32, 28, 28, 4, 4)
// CHECK: sparkle.define %[[OUT]] ["n", "k", "p.tile", "q.tile", "p.row", "q.row", "c"] reductions 1 {{.*}} fuse = ["y.input"]
// CHECK:   sparkle.read %[[IN]] {{.*}} -> (d0, d6, d2, d3, d4, d5)
// CHECK:   sparkle.read %[[U]] {{.*}} -> (d1, d6, d4, d5)
// CHECK: %[[A:.*]] = sparkle.constant dense<{{\[\[}}1.000000e+00, 1.000000e+00, 1.000000e+00, 0.000000e+00]
// CHECK: sparkle.define %y ["n", "k", "p", "q", "p.row", "q.row"] reductions 2 {{.*}} fuse = ["y.product"], transform = "winograd 2x2"
// CHECK:   sparkle.read %[[A]] {{.*}} -> (d2 mod 2, d4)
// CHECK:   sparkle.read %[[A]] {{.*}} -> (d3 mod 2, d5)
// CHECK:   sparkle.read %[[OUT]] {{.*}} -> (d0, d1, d2 floordiv 2, d3 floordiv 2, d4, d5)
// CHECK:   sparkle.activate relu
module attributes {sparkle.target = #sparkle.target<word = "cpu", lanes = 8, vectors = 16, fma_latency = 8, near_bytes = 524288, close_bytes = 32768, copies = false>} {
sparkle.kernel @conv sizes ["N"] {
  %x = sparkle.tensor input "x" extents ()[s0] -> (s0, 64, 56, 56) : !sparkle.tensor<?x64x56x56xf32, (d0, d1, d2, d3) -> (d0, d2, d3, d1)>
  %w = sparkle.tensor weight "w" extents ()[s0] -> (32, 64, 3, 3) : !sparkle.tensor<32x64x3x3xf32, (d0, d1, d2, d3) -> (d0, d1, d2, d3)>
  %y = sparkle.tensor output "y" extents ()[s0] -> (s0, 32, 56, 56) : !sparkle.tensor<?x32x56x56xf32, (d0, d1, d2, d3) -> (d0, d2, d3, d1)>
  sparkle.define %y ["n", "k", "p", "q", "c", "r", "s"] reductions 3 extents ()[s0] -> (s0, 32, 56, 56, 64, 3, 3)
      pattern <transform = "winograd 2x2"> {
    %0 = sparkle.sum {
      %1 = sparkle.read %x (d0, d1, d2, d3, d4, d5, d6) -> (d0, d4, d2 + d5 - 1, d3 + d6 - 1) : !sparkle.tensor<?x64x56x56xf32, (d0, d1, d2, d3) -> (d0, d2, d3, d1)> -> f32
      %2 = sparkle.read %w (d0, d1, d2, d3, d4, d5, d6) -> (d1, d4, d5, d6) : !sparkle.tensor<32x64x3x3xf32, (d0, d1, d2, d3) -> (d0, d1, d2, d3)> -> f32
      %3 = arith.mulf %1, %2 : f32
      sparkle.yield %3 : f32
    } : f32
    %4 = sparkle.activate relu %0 : f32
    sparkle.yield %4 : f32
  } : !sparkle.tensor<?x32x56x56xf32, (d0, d1, d2, d3) -> (d0, d2, d3, d1)>
}
}

// -----

// A group is one more index of all three equations, and a worker has one.
// CHECK-LABEL: sparkle.kernel @groups
// CHECK: sparkle.tensor temp "y.input" extents () -> (1, 4, 16, 14, 14, 4, 4)
// CHECK: sparkle.tensor temp "y.product" extents () -> (1, 4, 32, 14, 14, 4, 4)
// CHECK: sparkle.define %y ["n", "g", "k", "p", "q", "p.row", "q.row"] reductions 2 {{.*}}workers = [1, 1, 32, {{[0-9]+}}, {{[0-9]+}}, 1, 1]
module attributes {sparkle.target = #sparkle.target<word = "cpu", lanes = 8, vectors = 16, fma_latency = 8, near_bytes = 524288, close_bytes = 32768, copies = false>} {
sparkle.kernel @groups sizes [] {
  %x = sparkle.tensor input "x" extents () -> (1, 4, 16, 28, 28) : !sparkle.tensor<1x4x16x28x28xf32, (d0, d1, d2, d3, d4) -> (d0, d3, d4, d1, d2)>
  %w = sparkle.tensor weight "w" extents () -> (4, 32, 16, 3, 3) : !sparkle.tensor<4x32x16x3x3xf32, (d0, d1, d2, d3, d4) -> (d0, d1, d2, d3, d4)>
  %y = sparkle.tensor output "y" extents () -> (1, 4, 32, 28, 28) : !sparkle.tensor<1x4x32x28x28xf32, (d0, d1, d2, d3, d4) -> (d0, d3, d4, d1, d2)>
  sparkle.define %y ["n", "g", "k", "p", "q", "c", "r", "s"] reductions 3 extents () -> (1, 4, 32, 28, 28, 16, 3, 3)
      pattern <transform = "winograd 2x2"> {
    %0 = sparkle.sum {
      %1 = sparkle.read %x (d0, d1, d2, d3, d4, d5, d6, d7) -> (d0, d1, d5, d3 + d6 - 1, d4 + d7 - 1) : !sparkle.tensor<1x4x16x28x28xf32, (d0, d1, d2, d3, d4) -> (d0, d3, d4, d1, d2)> -> f32
      %2 = sparkle.read %w (d0, d1, d2, d3, d4, d5, d6, d7) -> (d1, d2, d5, d6, d7) : !sparkle.tensor<4x32x16x3x3xf32, (d0, d1, d2, d3, d4) -> (d0, d1, d2, d3, d4)> -> f32
      %3 = arith.mulf %1, %2 : f32
      sparkle.yield %3 : f32
    } : f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<1x4x32x28x28xf32, (d0, d1, d2, d3, d4) -> (d0, d3, d4, d1, d2)>
}
}

// -----

// Not asked for, nothing happens.
// CHECK-LABEL: sparkle.kernel @none
// CHECK-NOT: sparkle.constant
sparkle.kernel @none sizes [] {
  %y = sparkle.tensor output "y" extents () -> (8) : !sparkle.tensor<8xf32, (d0) -> (d0)>
  sparkle.define %y ["n"] reductions 0 extents () -> (8) pattern <transform = "none"> {
    %0 = arith.constant 1.0 : f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<8xf32, (d0) -> (d0)>
}

// -----

// expected-error @below {{expected the attribute 'sparkle.target' on the module}}
module {
sparkle.kernel @no_target sizes [] {
  %y = sparkle.tensor output "y" extents () -> (8) : !sparkle.tensor<8xf32, (d0) -> (d0)>
  sparkle.define %y ["n"] reductions 0 extents () -> (8) pattern <transform = "winograd 2x2"> {
    %0 = arith.constant 1.0 : f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<8xf32, (d0) -> (d0)>
}
}
