// RUN: sparkle-opt %s --sparkle-tile --sparkle-split-border --canonicalize --sparkle-infer-inside | FileCheck %s

// A border tile is inside along the channels and, its rows clamped, along the
// height; the interior is inside altogether. The weights are always.
// CHECK-LABEL: sparkle.kernel @same
// CHECK: sparkle.accumulate {{.*}} inside [0, 1] : !sparkle.box<8x3x32xf32>, {{.*}} inside [0, 1, 2, 3] : !sparkle.box<16x8x3x3xf32>
// CHECK: sparkle.loop registers %{{.*}} step 6 {
// CHECK: sparkle.accumulate {{.*}} inside [0, 1, 2] : !sparkle.box<8x3x32xf32>, {{.*}} inside [0, 1, 2, 3]
// CHECK: sparkle.accumulate {{.*}} inside [0, 1] : !sparkle.box<8x3x32xf32>
sparkle.kernel @same sizes [] {
  %x = sparkle.tensor input "x" extents () -> (8, 30, 30) : !sparkle.tensor<8x30x30xf32, (d0, d1, d2) -> (d0, d1, d2)>
  %w = sparkle.tensor input "w" extents () -> (16, 8, 3, 3) : !sparkle.tensor<16x8x3x3xf32, (d0, d1, d2, d3) -> (d1, d2, d3, d0)>
  %y = sparkle.tensor output "y" extents () -> (16, 30, 30) : !sparkle.tensor<16x30x30xf32, (d0, d1, d2) -> (d1, d2, d0)>
  sparkle.define %y ["k", "p", "q", "c", "r", "s"] reductions 3 extents () -> (16, 30, 30, 8, 3, 3)
      pattern <workers = [16, 1, 30, 1, 1, 1], near = [1, 1, 1, 8, 3, 3], stage = [], registers = [16, 1, 6, 1, 1, 1], lanes = [16, 1, 1, 1, 1, 1], unroll = [1, 1, 1, 4, 1, 3], order = [0, 1, 2, 4, 3, 5]> {
    %0 = sparkle.sum {
      %1 = sparkle.read %x (k, p, q, c, r, s) -> (c, p * 1 + r * 1 - 1, q * 1 + s * 1 - 1) : !sparkle.tensor<8x30x30xf32, (d0, d1, d2) -> (d0, d1, d2)> -> f32
      %2 = sparkle.read %w (k, p, q, c, r, s) -> (k, c, r, s) : !sparkle.tensor<16x8x3x3xf32, (d0, d1, d2, d3) -> (d1, d2, d3, d0)> -> f32
      %3 = arith.mulf %1, %2 : f32
      sparkle.yield %3 : f32
    } : f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<16x30x30xf32, (d0, d1, d2) -> (d1, d2, d0)>
}

// The bounds of a dilated loop prove it too.
// CHECK-LABEL: sparkle.kernel @dilated
// CHECK: sparkle.accumulate {{.*}} inside [0, 1] :
// CHECK: sparkle.accumulate {{.*}} inside [0, 1, 2] :
sparkle.kernel @dilated sizes [] {
  %x = sparkle.tensor input "x" extents () -> (8, 30, 30) : !sparkle.tensor<8x30x30xf32, (d0, d1, d2) -> (d0, d1, d2)>
  %w = sparkle.tensor input "w" extents () -> (16, 8, 3, 3) : !sparkle.tensor<16x8x3x3xf32, (d0, d1, d2, d3) -> (d1, d2, d3, d0)>
  %y = sparkle.tensor output "y" extents () -> (16, 28, 28) : !sparkle.tensor<16x28x28xf32, (d0, d1, d2) -> (d1, d2, d0)>
  sparkle.define %y ["k", "p", "q", "c", "r", "s"] reductions 3 extents () -> (16, 28, 28, 8, 3, 3)
      pattern <workers = [16, 1, 28, 1, 1, 1], near = [1, 1, 1, 8, 3, 3], stage = [], registers = [16, 1, 7, 1, 1, 1], lanes = [16, 1, 1, 1, 1, 1], unroll = [1, 1, 1, 4, 1, 3], order = [0, 1, 2, 4, 3, 5]> {
    %0 = sparkle.sum {
      %1 = sparkle.read %x (k, p, q, c, r, s) -> (c, p * 1 + r * 2 - 1, q * 1 + s * 2 - 1) : !sparkle.tensor<8x30x30xf32, (d0, d1, d2) -> (d0, d1, d2)> -> f32
      %2 = sparkle.read %w (k, p, q, c, r, s) -> (k, c, r, s) : !sparkle.tensor<16x8x3x3xf32, (d0, d1, d2, d3) -> (d1, d2, d3, d0)> -> f32
      %3 = arith.mulf %1, %2 : f32
      sparkle.yield %3 : f32
    } : f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<16x28x28xf32, (d0, d1, d2) -> (d1, d2, d0)>
}

// Nothing is clamped, so the height stays in doubt.
// CHECK-LABEL: sparkle.kernel @not_a_product
// CHECK: sparkle.accumulate {{.*}} inside [0] :
// CHECK: sparkle.accumulate {{.*}} inside [0, 2] :
sparkle.kernel @not_a_product sizes [] {
  %x = sparkle.tensor input "x" extents () -> (8, 30, 30) : !sparkle.tensor<8x30x30xf32, (d0, d1, d2) -> (d0, d1, d2)>
  %w = sparkle.tensor input "w" extents () -> (16, 8, 3, 3) : !sparkle.tensor<16x8x3x3xf32, (d0, d1, d2, d3) -> (d1, d2, d3, d0)>
  %y = sparkle.tensor output "y" extents () -> (16, 30, 30) : !sparkle.tensor<16x30x30xf32, (d0, d1, d2) -> (d1, d2, d0)>
  sparkle.define %y ["k", "p", "q", "c", "r", "s"] reductions 3 extents () -> (16, 30, 30, 8, 3, 3)
      pattern <workers = [16, 1, 30, 1, 1, 1], near = [1, 1, 1, 8, 3, 3], stage = [], registers = [16, 1, 6, 1, 1, 1], lanes = [16, 1, 1, 1, 1, 1], unroll = [1, 1, 1, 4, 1, 3], order = [0, 1, 2, 4, 3, 5]> {
    %0 = sparkle.sum {
      %1 = sparkle.read %x (k, p, q, c, r, s) -> (c, p * 1 + r * 1 - 1, q * 1 + s * 1 - 1) : !sparkle.tensor<8x30x30xf32, (d0, d1, d2) -> (d0, d1, d2)> -> f32
      %2 = sparkle.read %w (k, p, q, c, r, s) -> (k, c, r, s) : !sparkle.tensor<16x8x3x3xf32, (d0, d1, d2, d3) -> (d1, d2, d3, d0)> -> f32
      %3 = arith.addf %1, %2 : f32
      sparkle.yield %3 : f32
    } : f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<16x30x30xf32, (d0, d1, d2) -> (d1, d2, d0)>
}

// A box or a tensor from elsewhere: of the first nothing is known, of the second
// its type.
// CHECK-LABEL: func.func @arguments
// CHECK: sparkle.accumulate {{.*}} (%{{.*}} (d0, d1) -> (d1) : !sparkle.box<4xf32>)
// CHECK: sparkle.accumulate {{.*}} (%{{.*}} (d0, d1) -> (d1) inside [0] : !sparkle.box<4xf32>)
func.func @arguments(%t: !sparkle.tile<4xf32, 1>, %b: !sparkle.box<4xf32>, %x: !sparkle.tensor<4xf32, (d0) -> (d0)>) -> !sparkle.tile<4xf32, 1> {
  %c0 = arith.constant 0 : index
  %0 = sparkle.accumulate %t at [%c0, %c0] slice [4] (%b (d0, d1) -> (d1) : !sparkle.box<4xf32>) {
  ^bb0(%e: f32):
    sparkle.yield %e : f32
  } : !sparkle.tile<4xf32, 1>
  %1 = sparkle.stage in_place %x[%c0] : !sparkle.tensor<4xf32, (d0) -> (d0)> to !sparkle.box<4xf32>
  %2 = sparkle.accumulate %0 at [%c0, %c0] slice [4] (%1 (d0, d1) -> (d1) : !sparkle.box<4xf32>) {
  ^bb0(%e: f32):
    sparkle.yield %e : f32
  } : !sparkle.tile<4xf32, 1>
  return %2 : !sparkle.tile<4xf32, 1>
}
