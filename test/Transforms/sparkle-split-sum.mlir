// RUN: sparkle-opt %s --split-input-file --verify-diagnostics --sparkle-split-sum | FileCheck %s

// Each part is summed by workers of its own, at its place in the operands; the
// second equation adds the parts and does what stands around the sum. A sum that
// is whole stays.
module attributes {sparkle.target = #sparkle.target<word = "gpu", lanes = 64, vectors = 64, fma_latency = 4, near_bytes = 16384, close_bytes = 0, copies = true, masked = true>} {
// CHECK-LABEL: sparkle.kernel @split
// CHECK: %[[Y:.*]] = sparkle.tensor output "y"
// CHECK: %[[T:.*]] = sparkle.tensor temp "y.parts" extents ()[s0] -> (4, s0, 64) : <4x?x64xf32, (d0, d1, d2) -> (d0, d2, d1)>
// CHECK: sparkle.define %[[T]] ["k.part", "m", "n", "k"] reductions 1 extents ()[s0] -> (4, s0, 64, 32)
// CHECK-SAME: pattern <workers = [1, 32, 32, 1], near = [1, 1, 1, 16], stage = ["a"], registers = [1, 32, 32, 1], lanes = [1, 8, 8, 1], unroll = [1, 1, 1, 16], order = [0, 1, 2, 3], prefetch = {}, overlap = []>
// CHECK:   %[[SUM:.*]] = sparkle.sum {
// CHECK:     sparkle.read %{{.*}} (d0, d1, d2, d3) -> (d1, d0 * 32 + d3)
// CHECK:     sparkle.read %{{.*}} (d0, d1, d2, d3) -> (d2, d0 * 32 + d3)
// CHECK:   sparkle.yield %[[SUM]]
// CHECK: sparkle.define %[[Y]] ["m", "n", "k.part"] reductions 1 extents ()[s0] -> (s0, 64, 4) pattern <workers = [{{[0-9]+, [0-9]+}}, 1], near = [1, 1, 4]
// CHECK:   %[[ALL:.*]] = sparkle.sum {
// CHECK:     sparkle.read %[[T]] (d0, d1, d2) -> (d2, d0, d1)
// CHECK:   %[[B:.*]] = sparkle.read %{{.*}} (d0, d1, d2) -> (d1)
// CHECK:   arith.addf %[[ALL]], %[[B]]
// CHECK: sparkle.define %{{.*}} ["m", "n", "k"] reductions 1 extents ()[s0] -> (s0, 64, 128)
sparkle.kernel @split sizes ["M"] {
  %a = sparkle.tensor input "a" extents ()[s0] -> (s0, 128) : !sparkle.tensor<?x128xf32, (d0, d1) -> (d0, d1)>
  %w = sparkle.tensor weight "w" extents ()[s0] -> (64, 128) : !sparkle.tensor<64x128xf32, (d0, d1) -> (d0, d1)>
  %b = sparkle.tensor input "b" extents ()[s0] -> (64) : !sparkle.tensor<64xf32, (d0) -> (d0)>
  %y = sparkle.tensor output "y" extents ()[s0] -> (s0, 64) : !sparkle.tensor<?x64xf32, (d0, d1) -> (d1, d0)>
  %z = sparkle.tensor output "z" extents ()[s0] -> (s0, 64) : !sparkle.tensor<?x64xf32, (d0, d1) -> (d0, d1)>
  sparkle.define %y ["m", "n", "k"] reductions 1 extents ()[s0] -> (s0, 64, 128) pattern <workers = [32, 32, 32], near = [1, 1, 16], stage = ["a"], registers = [32, 32, 1], lanes = [8, 8, 1], unroll = [1, 1, 16], order = [0, 1, 2], prefetch = {}, overlap = []> {
    %0 = sparkle.sum {
      %1 = sparkle.read %a (d0, d1, d2) -> (d0, d2) : !sparkle.tensor<?x128xf32, (d0, d1) -> (d0, d1)> -> f32
      %2 = sparkle.read %w (d0, d1, d2) -> (d1, d2) : !sparkle.tensor<64x128xf32, (d0, d1) -> (d0, d1)> -> f32
      %3 = arith.mulf %1, %2 : f32
      sparkle.yield %3 : f32
    } : f32
    %4 = sparkle.read %b (d0, d1, d2) -> (d1) : !sparkle.tensor<64xf32, (d0) -> (d0)> -> f32
    %5 = arith.addf %0, %4 : f32
    sparkle.yield %5 : f32
  } : !sparkle.tensor<?x64xf32, (d0, d1) -> (d1, d0)>
  sparkle.define %z ["m", "n", "k"] reductions 1 extents ()[s0] -> (s0, 64, 128) pattern <workers = [32, 32, 1], near = [1, 1, 16], stage = ["a"], registers = [32, 32, 1], lanes = [8, 8, 1], unroll = [1, 1, 16], order = [0, 1, 2], prefetch = {}, overlap = []> {
    %0 = sparkle.sum {
      %1 = sparkle.read %a (d0, d1, d2) -> (d0, d2) : !sparkle.tensor<?x128xf32, (d0, d1) -> (d0, d1)> -> f32
      sparkle.yield %1 : f32
    } : f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<?x64xf32, (d0, d1) -> (d0, d1)>
}

// The parts of a sum are f32, whatever the result is stored as.
// CHECK-LABEL: sparkle.kernel @half
// CHECK: sparkle.tensor temp "y.parts" extents () -> (4, 64) : <4x64xf32, (d0, d1) -> (d0, d1)>
// CHECK: sparkle.read {{.*}} : <64x128xf16, (d0, d1) -> (d0, d1)> -> f32
// CHECK: sparkle.read {{.*}} : <4x64xf32, (d0, d1) -> (d0, d1)> -> f32
sparkle.kernel @half sizes [] {
  %a = sparkle.tensor input "a" extents () -> (64, 128) : !sparkle.tensor<64x128xf16, (d0, d1) -> (d0, d1)>
  %y = sparkle.tensor output "y" extents () -> (64) : !sparkle.tensor<64xf16, (d0) -> (d0)>
  sparkle.define %y ["m", "k"] reductions 1 extents () -> (64, 128) pattern <workers = [32, 32], near = [1, 16], stage = [], registers = [32, 1], lanes = [8, 1], unroll = [1, 16], order = [0, 1], prefetch = {}, overlap = []> {
    %0 = sparkle.sum {
      %1 = sparkle.read %a (d0, d1) -> (d0, d1) : !sparkle.tensor<64x128xf16, (d0, d1) -> (d0, d1)> -> f32
      sparkle.yield %1 : f32
    } : f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<64xf16, (d0) -> (d0)>
}
}

// -----

// Lanes take turns along the sum, each with a partial sum of its own in near
// memory, which are added up when the worker's tile is there. A last vector
// reaches beyond the operands, where there is nothing.
module attributes {sparkle.target = #sparkle.target<word = "cpu", lanes = 16, vectors = 32, fma_latency = 8, near_bytes = 1048576, close_bytes = 32768, copies = false>} {
// CHECK-LABEL: sparkle.kernel @lanes
// CHECK: %[[Y:.*]] = sparkle.tensor output "y"
// CHECK: %[[T:.*]] = sparkle.tensor temp "y.parts" extents () -> (16, 100, 3) : <16x100x3xf32, (d0, d1, d2) -> (d1, d2, d0)>
// CHECK: sparkle.define %[[T]] ["k.lane", "m", "n", "k"] reductions 1 extents () -> (16, 100, 3, 9)
// CHECK-SAME: pattern <workers = [16, 10, 3, 1], near = [1, 1, 1, 9], stage = [], registers = [16, 5, 3, 1], lanes = [16, 1, 1, 1], unroll = [1, 1, 1, 3], order = [0, 1, 2, 3], prefetch = {}, overlap = []>
// CHECK:     sparkle.read %{{.*}} (d0, d1, d2, d3) -> (d1, d0 + d3 * 16)
// CHECK:     sparkle.read %{{.*}} (d0, d1, d2, d3) -> (d2, d0 + d3 * 16)
// CHECK: sparkle.define %[[Y]] ["m", "n", "k.lane"] reductions 1 extents () -> (100, 3, 16) pattern <workers = [10, 3, 1], near = [1, 1, 16], stage = [], {{.*}}, fuse = ["y.parts"]
// CHECK:     sparkle.read %[[T]] (d0, d1, d2) -> (d2, d0, d1)
sparkle.kernel @lanes sizes [] {
  %a = sparkle.tensor input "a" extents () -> (100, 140) : !sparkle.tensor<100x140xf32, (d0, d1) -> (d0, d1)>
  %w = sparkle.tensor weight "w" extents () -> (3, 140) : !sparkle.tensor<3x140xf32, (d0, d1) -> (d0, d1)>
  %y = sparkle.tensor output "y" extents () -> (100, 3) : !sparkle.tensor<100x3xf32, (d0, d1) -> (d0, d1)>
  sparkle.define %y ["m", "n", "k"] reductions 1 extents () -> (100, 3, 140) pattern <workers = [10, 3, 1], near = [1, 1, 144], stage = [], registers = [5, 3, 1], lanes = [1, 1, 16], unroll = [1, 1, 48], order = [0, 1, 2], prefetch = {}, overlap = []> {
    %0 = sparkle.sum {
      %1 = sparkle.read %a (d0, d1, d2) -> (d0, d2) : !sparkle.tensor<100x140xf32, (d0, d1) -> (d0, d1)> -> f32
      %2 = sparkle.read %w (d0, d1, d2) -> (d1, d2) : !sparkle.tensor<3x140xf32, (d0, d1) -> (d0, d1)> -> f32
      %3 = arith.mulf %1, %2 : f32
      sparkle.yield %3 : f32
    } : f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<100x3xf32, (d0, d1) -> (d0, d1)>
}
}

// -----

module attributes {sparkle.target = #sparkle.target<word = "gpu", lanes = 64, vectors = 64, fma_latency = 4, near_bytes = 16384, close_bytes = 0, copies = true, masked = true>} {
sparkle.kernel @uneven sizes [] {
  %a = sparkle.tensor input "a" extents () -> (100, 128) : !sparkle.tensor<100x128xf32, (d0, d1) -> (d0, d1)>
  %w = sparkle.tensor weight "w" extents () -> (64, 128) : !sparkle.tensor<64x128xf32, (d0, d1) -> (d0, d1)>
  %y = sparkle.tensor output "y" extents () -> (100, 64) : !sparkle.tensor<100x64xf32, (d0, d1) -> (d0, d1)>
  // expected-error @below {{expected a part that divides the sum - run 'sparkle-resolve-pattern' first}}
  sparkle.define %y ["m", "n", "k"] reductions 1 extents () -> (100, 64, 128) pattern <workers = [32, 32, 48], near = [1, 1, 16], stage = ["a"], registers = [32, 32, 1], lanes = [8, 8, 1], unroll = [1, 1, 16], order = [0, 1, 2], prefetch = {}, overlap = []> {
    %0 = sparkle.sum {
      %1 = sparkle.read %a (d0, d1, d2) -> (d0, d2) : !sparkle.tensor<100x128xf32, (d0, d1) -> (d0, d1)> -> f32
      %2 = sparkle.read %w (d0, d1, d2) -> (d1, d2) : !sparkle.tensor<64x128xf32, (d0, d1) -> (d0, d1)> -> f32
      %3 = arith.mulf %1, %2 : f32
      sparkle.yield %3 : f32
    } : f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<100x64xf32, (d0, d1) -> (d0, d1)>
}
}

// -----

// expected-error @below {{expected the attribute 'sparkle.target' on the module}}
module {
sparkle.kernel @nowhere sizes [] {
  %a = sparkle.tensor input "a" extents () -> (100, 128) : !sparkle.tensor<100x128xf32, (d0, d1) -> (d0, d1)>
  %w = sparkle.tensor weight "w" extents () -> (64, 128) : !sparkle.tensor<64x128xf32, (d0, d1) -> (d0, d1)>
  %y = sparkle.tensor output "y" extents () -> (100, 64) : !sparkle.tensor<100x64xf32, (d0, d1) -> (d0, d1)>
  sparkle.define %y ["m", "n", "k"] reductions 1 extents () -> (100, 64, 128) pattern <workers = [32, 32, 64], near = [1, 1, 16], stage = ["a"], registers = [32, 32, 1], lanes = [8, 8, 1], unroll = [1, 1, 16], order = [0, 1, 2], prefetch = {}, overlap = []> {
    %0 = sparkle.sum {
      %1 = sparkle.read %a (d0, d1, d2) -> (d0, d2) : !sparkle.tensor<100x128xf32, (d0, d1) -> (d0, d1)> -> f32
      %2 = sparkle.read %w (d0, d1, d2) -> (d1, d2) : !sparkle.tensor<64x128xf32, (d0, d1) -> (d0, d1)> -> f32
      %3 = arith.mulf %1, %2 : f32
      sparkle.yield %3 : f32
    } : f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<100x64xf32, (d0, d1) -> (d0, d1)>
}
}
