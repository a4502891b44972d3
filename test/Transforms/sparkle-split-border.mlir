// RUN: sparkle-opt %s --sparkle-tile --sparkle-stage --sparkle-split-border --canonicalize | FileCheck %s

// 30 outputs in tiles of 6: one border tile at either end, the interior a loop.
// The rows of the kernel are clamped to those that lie inside.
// CHECK-DAG: #[[LOW:.*]] = affine_map<(d0) -> (-d0 + 1, 0)>
// CHECK-DAG: #[[HIGH:.*]] = affine_map<(d0) -> (-d0 + 31, 3)>
// CHECK-LABEL: sparkle.kernel @same
// CHECK-DAG: %[[C0:.*]] = arith.constant 0 : index
// CHECK-DAG: %[[C6:.*]] = arith.constant 6 : index
// CHECK-DAG: %[[C24:.*]] = arith.constant 24 : index
// CHECK: sparkle.workers ["k", "p", "q"] (%{{.*}}, %[[P:.*]], %{{.*}})
// CHECK: %[[LO:.*]] = affine.max #[[LOW]](%[[P]])
// CHECK: %[[HI:.*]] = affine.min #[[HIGH]](%[[P]])
// CHECK: sparkle.loop registers %{{.*}} = %[[LO]] to %[[HI]] step 1 carry
// CHECK: sparkle.store %{{.*}}[%{{.*}}, %[[P]], %[[C0]]]
// CHECK: sparkle.loop registers %[[Q:.*]] = %[[C6]] to %[[C24]] step 6 {
// CHECK: sparkle.store %{{.*}}[%{{.*}}, %[[P]], %[[Q]]]
// CHECK: sparkle.store %{{.*}}[%{{.*}}, %[[P]], %[[C24]]]
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

// A dilation of 2 divides the bounds.
// CHECK-LABEL: sparkle.kernel @dilated
// CHECK: affine.max #{{.*}}
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

// A stride of 2 needs no border behind the interior.
// CHECK-LABEL: sparkle.kernel @strided
// CHECK: sparkle.store %{{.*}}, %[[C0:.*]]] ()
// CHECK: sparkle.loop registers %[[Q:.*]] = %{{.*}} to %{{.*}} step 5 {
// CHECK: sparkle.store %{{.*}}, %[[Q]]] ()
// CHECK-NOT: sparkle.store
sparkle.kernel @strided sizes [] {
  %x = sparkle.tensor input "x" extents () -> (8, 30, 30) : !sparkle.tensor<8x30x30xf32, (d0, d1, d2) -> (d0, d1, d2)>
  %w = sparkle.tensor input "w" extents () -> (16, 8, 3, 3) : !sparkle.tensor<16x8x3x3xf32, (d0, d1, d2, d3) -> (d1, d2, d3, d0)>
  %y = sparkle.tensor output "y" extents () -> (16, 15, 15) : !sparkle.tensor<16x15x15xf32, (d0, d1, d2) -> (d1, d2, d0)>
  sparkle.define %y ["k", "p", "q", "c", "r", "s"] reductions 3 extents () -> (16, 15, 15, 8, 3, 3)
      pattern <workers = [16, 1, 15, 1, 1, 1], near = [1, 1, 1, 8, 3, 3], stage = [], registers = [16, 1, 5, 1, 1, 1], lanes = [16, 1, 1, 1, 1, 1], unroll = [1, 1, 1, 4, 1, 3], order = [0, 1, 2, 4, 3, 5]> {
    %0 = sparkle.sum {
      %1 = sparkle.read %x (k, p, q, c, r, s) -> (c, p * 2 + r * 1 - 1, q * 2 + s * 1 - 1) : !sparkle.tensor<8x30x30xf32, (d0, d1, d2) -> (d0, d1, d2)> -> f32
      %2 = sparkle.read %w (k, p, q, c, r, s) -> (k, c, r, s) : !sparkle.tensor<16x8x3x3xf32, (d0, d1, d2, d3) -> (d1, d2, d3, d0)> -> f32
      %3 = arith.mulf %1, %2 : f32
      sparkle.yield %3 : f32
    } : f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<16x15x15xf32, (d0, d1, d2) -> (d1, d2, d0)>
}

// A sum of two reads is not zero where one of them is: its rows stay.
// CHECK-LABEL: sparkle.kernel @not_a_product
// CHECK-NOT: affine.max
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

// Two indices of the sum move one coordinate. What lies outside for the last
// slice lies inside for others, so that nothing can be clamped. It depends on
// the tap alone, so that the slices cover all taps.
// CHECK-LABEL: sparkle.kernel @two_taps
// CHECK-NOT: affine.max
// CHECK-NOT: sparkle.loop
// CHECK: sparkle.accumulate {{.*}} slice [4, 2]
// CHECK: sparkle.accumulate {{.*}} slice [1, 2]
sparkle.kernel @two_taps sizes [] {
  %d = sparkle.tensor input "d" extents () -> (9) : !sparkle.tensor<9xf32, (d0) -> (d0)>
  %y = sparkle.tensor output "y" extents () -> (2) : !sparkle.tensor<2xf32, (d0) -> (d0)>
  sparkle.define %y ["n", "c", "r"] reductions 2 extents () -> (2, 5, 2)
      pattern <workers = [2, 1, 1], near = [1, 5, 2], stage = [], registers = [2, 1, 1], lanes = [16, 1, 1], unroll = [1, 4, 1], order = [0, 2, 1]> {
    %0 = sparkle.sum {
      %1 = sparkle.read %d (n, c, r) -> (r * 2 - c + 2) : !sparkle.tensor<9xf32, (d0) -> (d0)> -> f32
      sparkle.yield %1 : f32
    } : f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<2xf32, (d0) -> (d0)>
}

// One tap at a time: a loop in the interior. In the border tiles it depends on
// the tap which elements are inside, so the slice covers all of them.
// CHECK-LABEL: sparkle.kernel @whole
// CHECK-DAG: %[[C0:.*]] = arith.constant 0 : index
// CHECK-DAG: %[[C3:.*]] = arith.constant 3 : index
// CHECK: sparkle.accumulate %{{.*}} at [%{{.*}}, %[[C0]], %{{.*}}, %[[C0]]] slice [4, 3]
// CHECK: sparkle.loop registers %[[Q:.*]] = %{{.*}} to %{{.*}} step 6 {
// CHECK: sparkle.loop registers %[[S:.*]] = %[[C0]] to %[[C3]] step 1 carry
// CHECK: sparkle.accumulate %{{.*}} at [%{{.*}}, %[[Q]], %{{.*}}, %[[S]]] slice [4, 1]
// CHECK: sparkle.accumulate %{{.*}} at [%{{.*}}, %{{.*}}, %{{.*}}, %[[C0]]] slice [4, 3]
sparkle.kernel @whole sizes [] {
  %x = sparkle.tensor input "x" extents () -> (8, 30) : !sparkle.tensor<8x30xf32, (d0, d1) -> (d0, d1)>
  %w = sparkle.tensor input "w" extents () -> (16, 8, 3) : !sparkle.tensor<16x8x3xf32, (d0, d1, d2) -> (d1, d2, d0)>
  %y = sparkle.tensor output "y" extents () -> (16, 30) : !sparkle.tensor<16x30xf32, (d0, d1) -> (d1, d0)>
  sparkle.define %y ["k", "q", "c", "s"] reductions 2 extents () -> (16, 30, 8, 3)
      pattern <workers = [16, 30, 1, 1], near = [1, 1, 8, 3], stage = [], registers = [16, 6, 1, 1], lanes = [16, 1, 1, 1], unroll = [1, 1, 4, 1], order = [0, 1, 2, 3]> {
    %0 = sparkle.sum {
      %1 = sparkle.read %x (k, q, c, s) -> (c, q * 1 + s * 1 - 1) : !sparkle.tensor<8x30xf32, (d0, d1) -> (d0, d1)> -> f32
      %2 = sparkle.read %w (k, q, c, s) -> (k, c, s) : !sparkle.tensor<16x8x3xf32, (d0, d1, d2) -> (d1, d2, d0)> -> f32
      %3 = arith.mulf %1, %2 : f32
      sparkle.yield %3 : f32
    } : f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<16x30xf32, (d0, d1) -> (d1, d0)>
}

// What is prefetched for a slice grows with it.
// CHECK-LABEL: sparkle.kernel @ahead
// CHECK: sparkle.prefetch {{.*}} shape [16, 6, 4, 3] {{.*}} of 5
// CHECK-NEXT: sparkle.accumulate {{.*}} slice [4, 3]
// CHECK: sparkle.prefetch {{.*}} shape [16, 6, 4, 1] {{.*}} of 5
// CHECK-NEXT: sparkle.accumulate {{.*}} slice [4, 1]
// CHECK: sparkle.prefetch {{.*}} shape [16, 6, 4, 3] {{.*}} of 5
// CHECK-NEXT: sparkle.accumulate {{.*}} slice [4, 3]
sparkle.kernel @ahead sizes [] {
  %x = sparkle.tensor input "x" extents () -> (8, 30) : !sparkle.tensor<8x30xf32, (d0, d1) -> (d0, d1)>
  %w = sparkle.tensor input "w" extents () -> (32, 8, 3) : !sparkle.tensor<32x8x3xf32, (d0, d1, d2) -> (d1, d2, d0)>
  %y = sparkle.tensor output "y" extents () -> (32, 30) : !sparkle.tensor<32x30xf32, (d0, d1) -> (d1, d0)>
  sparkle.define %y ["k", "q", "c", "s"] reductions 2 extents () -> (32, 30, 8, 3)
      pattern <workers = [32, 30, 1, 1], near = [1, 1, 8, 3], stage = [], registers = [16, 6, 1, 1], lanes = [16, 1, 1, 1], unroll = [1, 1, 4, 1], order = [0, 1, 2, 3], prefetch = {w = -1}> {
    %0 = sparkle.sum {
      %1 = sparkle.read %x (k, q, c, s) -> (c, q * 1 + s * 1 - 1) : !sparkle.tensor<8x30xf32, (d0, d1) -> (d0, d1)> -> f32
      %2 = sparkle.read %w (k, q, c, s) -> (k, c, s) : !sparkle.tensor<32x8x3xf32, (d0, d1, d2) -> (d1, d2, d0)> -> f32
      %3 = arith.mulf %1, %2 : f32
      sparkle.yield %3 : f32
    } : f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<32x30xf32, (d0, d1) -> (d1, d0)>
}
