// RUN: sparkle-opt %s --split-input-file --verify-diagnostics --sparkle-resolve-pattern -o %t.mlir
// RUN: FileCheck %s --input-file=%t.mlir
// What is resolved resolves to itself.
// RUN: sparkle-opt %t.mlir --split-input-file --sparkle-resolve-pattern | diff %t.mlir -

// Sizes for lanes in a grid that hold one tile together.
module attributes {sparkle.target = #sparkle.target<word = "gpu", lanes = 256, vectors = 64, fma_latency = 4, near_bytes = 32768, close_bytes = 0, copies = true, masked = true, cores = 128, near_read = 3>} {

// A grid over the channels and the pixels, 8 sums of channels that lie in a row
// and 7 pixels in a lane, boxes that divide 56; what lanes share is copied, one
// step ahead, with a row of taps: half the lanes have half of near memory.
// CHECK-LABEL: sparkle.kernel @conv
// CHECK: pattern <workers = [1, 64, 2, 56, 1, 1, 1], near = [1, 1, 1, 1, 4, 1, 3], stage = ["x", "w"],
// CHECK-SAME: registers = [1, 64, 2, 56, 1, 1, 1], lanes = [1, 8, 2, 8, 1, 1, 1], unroll = [1, 1, 1, 1, 4, 1, 3],
// CHECK-SAME: order = [0, 1, 2, 3, 4, 5, 6], prefetch = {}, overlap = ["x", "w"]>
  sparkle.kernel @conv sizes [] {
    %x = sparkle.tensor input "x" extents () -> (32, 64, 56, 56) : <32x64x56x56xf32, (d0, d1, d2, d3) -> (d0, d2, d3, d1)>
    %w = sparkle.tensor weight "w" extents () -> (64, 64, 3, 3) : <64x64x3x3xf32, (d0, d1, d2, d3) -> (d0, d1, d2, d3)>
    %y = sparkle.tensor output "y" extents () -> (32, 64, 56, 56) : <32x64x56x56xf32, (d0, d1, d2, d3) -> (d0, d2, d3, d1)>
    sparkle.define %y ["n", "k", "p", "q", "c", "r", "s"] reductions 3 extents () -> (32, 64, 56, 56, 64, 3, 3) {
      %0 = sparkle.sum {
        %1 = sparkle.read %x (d0, d1, d2, d3, d4, d5, d6) -> (d0, d4, d2 + d5 - 1, d3 + d6 - 1) : <32x64x56x56xf32, (d0, d1, d2, d3) -> (d0, d2, d3, d1)> -> f32
        %2 = sparkle.read %w (d0, d1, d2, d3, d4, d5, d6) -> (d1, d4, d5, d6) : <64x64x3x3xf32, (d0, d1, d2, d3) -> (d0, d1, d2, d3)> -> f32
        %3 = arith.mulf %1, %2 : f32
        sparkle.yield %3 : f32
      } : f32
      sparkle.yield %0 : f32
    } : <32x64x56x56xf32, (d0, d1, d2, d3) -> (d0, d2, d3, d1)>
  }

// A run-time batch beside other indices counts as 1: the box lies along those.
// All of three channels are one step.
// CHECK-LABEL: sparkle.kernel @small
// CHECK: pattern <workers = [1, {{[0-9]+}}, {{[0-9]+}}, {{4|8|16}}, 1, 1, 1], near = [1, 1, 1, 1, 3, 3, 3]
  sparkle.kernel @small sizes ["N"] {
    %x = sparkle.tensor input "x" extents ()[s0] -> (s0, 3, 14, 14) : <?x3x14x14xf32, (d0, d1, d2, d3) -> (d0, d1, d2, d3)>
    %w = sparkle.tensor weight "w" extents ()[s0] -> (64, 3, 3, 3) : <64x3x3x3xf32, (d0, d1, d2, d3) -> (d0, d1, d2, d3)>
    %y = sparkle.tensor output "y" extents ()[s0] -> (s0, 64, 14, 14) : <?x64x14x14xf32, (d0, d1, d2, d3) -> (d0, d1, d2, d3)>
    sparkle.define %y ["n", "k", "p", "q", "c", "r", "s"] reductions 3 extents ()[s0] -> (s0, 64, 14, 14, 3, 3, 3) {
      %0 = sparkle.sum {
        %1 = sparkle.read %x (d0, d1, d2, d3, d4, d5, d6) -> (d0, d4, d2 + d5 - 1, d3 + d6 - 1) : <?x3x14x14xf32, (d0, d1, d2, d3) -> (d0, d1, d2, d3)> -> f32
        %2 = sparkle.read %w (d0, d1, d2, d3, d4, d5, d6) -> (d1, d4, d5, d6) : <64x3x3x3xf32, (d0, d1, d2, d3) -> (d0, d1, d2, d3)> -> f32
        %3 = arith.mulf %1, %2 : f32
        sparkle.yield %3 : f32
      } : f32
      sparkle.yield %0 : f32
    } : <?x64x14x14xf32, (d0, d1, d2, d3) -> (d0, d1, d2, d3)>
  }

// Nothing but the channels and the pixels to lie along: each channel has a
// weight of its own, which its lanes share.
// CHECK-LABEL: sparkle.kernel @depthwise
// CHECK: pattern <workers = [1, [[C:[0-9]+]], {{[0-9]+}}, {{[0-9]+}}, 1, 1], near = [1, 1, 1, 1, 3, 3],
// CHECK-SAME: registers = [1, [[C]],
  sparkle.kernel @depthwise sizes [] {
    %x = sparkle.tensor input "x" extents () -> (1, 32, 112, 112) : <1x32x112x112xf32, (d0, d1, d2, d3) -> (d0, d2, d3, d1)>
    %w = sparkle.tensor weight "w" extents () -> (32, 3, 3) : <32x3x3xf32, (d0, d1, d2) -> (d0, d1, d2)>
    %y = sparkle.tensor output "y" extents () -> (1, 32, 112, 112) : <1x32x112x112xf32, (d0, d1, d2, d3) -> (d0, d2, d3, d1)>
    sparkle.define %y ["n", "c", "p", "q", "r", "s"] reductions 2 extents () -> (1, 32, 112, 112, 3, 3) {
      %0 = sparkle.sum {
        %1 = sparkle.read %x (d0, d1, d2, d3, d4, d5) -> (d0, d1, d2 + d4 - 1, d3 + d5 - 1) : <1x32x112x112xf32, (d0, d1, d2, d3) -> (d0, d2, d3, d1)> -> f32
        %2 = sparkle.read %w (d0, d1, d2, d3, d4, d5) -> (d1, d4, d5) : <32x3x3xf32, (d0, d1, d2) -> (d0, d1, d2)> -> f32
        %3 = arith.mulf %1, %2 : f32
        sparkle.yield %3 : f32
      } : f32
      sparkle.yield %0 : f32
    } : <1x32x112x112xf32, (d0, d1, d2, d3) -> (d0, d2, d3, d1)>
  }

// A run-time extent that no other index stands for is taken to be long.
// CHECK-LABEL: sparkle.kernel @matmul
// CHECK: pattern <workers = [128, 128, 1], near = [1, 1, 8], stage = ["a", "w"], registers = [128, 128, 1], lanes = [16, 16, 1], unroll = [1, 1, 8]
  sparkle.kernel @matmul sizes ["M"] {
    %a = sparkle.tensor input "a" extents ()[s0] -> (s0, 1024) : <?x1024xf32, (d0, d1) -> (d0, d1)>
    %w = sparkle.tensor weight "w" extents ()[s0] -> (1024, 1024) : <1024x1024xf32, (d0, d1) -> (d0, d1)>
    %y = sparkle.tensor output "y" extents ()[s0] -> (s0, 1024) : <?x1024xf32, (d0, d1) -> (d0, d1)>
    sparkle.define %y ["m", "n", "k"] reductions 1 extents ()[s0] -> (s0, 1024, 1024) {
      %0 = sparkle.sum {
        %1 = sparkle.read %a (d0, d1, d2) -> (d0, d2) : <?x1024xf32, (d0, d1) -> (d0, d1)> -> f32
        %2 = sparkle.read %w (d0, d1, d2) -> (d1, d2) : <1024x1024xf32, (d0, d1) -> (d0, d1)> -> f32
        %3 = arith.mulf %1, %2 : f32
        sparkle.yield %3 : f32
      } : f32
      sparkle.yield %0 : f32
    } : <?x1024xf32, (d0, d1) -> (d0, d1)>
  }

// Without a sum, whole vectors of neighbours; nothing is copied.
// CHECK-LABEL: sparkle.kernel @elements
// CHECK: pattern <workers = [256], near = [1], stage = [], registers = [256], lanes = [{{32|64}}]
  sparkle.kernel @elements sizes ["N"] {
    %x = sparkle.tensor input "x" extents ()[s0] -> (s0) : <?xf32, (d0) -> (d0)>
    %y = sparkle.tensor output "y" extents ()[s0] -> (s0) : <?xf32, (d0) -> (d0)>
    sparkle.define %y ["n"] reductions 0 extents ()[s0] -> (s0) {
      %0 = sparkle.read %x (d0) -> (d0) : <?xf32, (d0) -> (d0)> -> f32
      %1 = sparkle.activate relu %0 : f32
      sparkle.yield %1 : f32
    } : <?xf32, (d0) -> (d0)>
  }

// What is given stays, also a step that does not divide the sum.
// CHECK-LABEL: sparkle.kernel @given
// CHECK: pattern <workers = [32, 64, 1], near = [1, 1, 12], stage = ["a", "w"], registers = [32, 64, 1], lanes = [8, {{[0-9]+}}, 1], unroll = [1, 1, 12]
  sparkle.kernel @given sizes [] {
    %a = sparkle.tensor input "a" extents () -> (1000, 1024) : <1000x1024xf32, (d0, d1) -> (d0, d1)>
    %w = sparkle.tensor weight "w" extents () -> (1024, 1024) : <1024x1024xf32, (d0, d1) -> (d0, d1)>
    %y = sparkle.tensor output "y" extents () -> (1000, 1024) : <1000x1024xf32, (d0, d1) -> (d0, d1)>
    sparkle.define %y ["m", "n", "k"] reductions 1 extents () -> (1000, 1024, 1024) pattern <workers = [32, 64, 1], near = [1, 1, 12], lanes = [8, 0, 1]> {
      %0 = sparkle.sum {
        %1 = sparkle.read %a (d0, d1, d2) -> (d0, d2) : <1000x1024xf32, (d0, d1) -> (d0, d1)> -> f32
        %2 = sparkle.read %w (d0, d1, d2) -> (d1, d2) : <1024x1024xf32, (d0, d1) -> (d0, d1)> -> f32
        %3 = arith.mulf %1, %2 : f32
        sparkle.yield %3 : f32
      } : f32
      sparkle.yield %0 : f32
    } : <1000x1024xf32, (d0, d1) -> (d0, d1)>
  }

// A box may be larger than the extent, and stays so.
// CHECK-LABEL: sparkle.kernel @larger
// CHECK: pattern <workers = [4, 64, 1], near = [1, 1, 32], stage = [], registers = [4, 64, 1], lanes = [4, 16, 1], unroll = [1, 1, 32], {{.*}}, overlap = []>
  sparkle.kernel @larger sizes [] {
    %a = sparkle.tensor input "a" extents () -> (3, 1024) : <3x1024xf32, (d0, d1) -> (d0, d1)>
    %w = sparkle.tensor weight "w" extents () -> (1024, 1024) : <1024x1024xf32, (d0, d1) -> (d0, d1)>
    %y = sparkle.tensor output "y" extents () -> (3, 1024) : <3x1024xf32, (d0, d1) -> (d0, d1)>
    sparkle.define %y ["m", "n", "k"] reductions 1 extents () -> (3, 1024, 1024) pattern <workers = [4, 64, 1], stage = [], registers = [4, 64, 1], lanes = [4, 16, 1]> {
      %0 = sparkle.sum {
        %1 = sparkle.read %a (d0, d1, d2) -> (d0, d2) : <3x1024xf32, (d0, d1) -> (d0, d1)> -> f32
        %2 = sparkle.read %w (d0, d1, d2) -> (d1, d2) : <1024x1024xf32, (d0, d1) -> (d0, d1)> -> f32
        %3 = arith.mulf %1, %2 : f32
        sparkle.yield %3 : f32
      } : f32
      sparkle.yield %0 : f32
    } : <3x1024xf32, (d0, d1) -> (d0, d1)>
  }

// The last near step is not whole, and is a body beside the others': both are
// loops, as all their addresses at once need scratch memory.
// CHECK-LABEL: sparkle.kernel @rest
// CHECK: pattern <workers = [32, 64, 1], near = [1, 1, 48], {{.*}}, unroll = [1, 1, 16]
  sparkle.kernel @rest sizes [] {
    %a = sparkle.tensor input "a" extents () -> (1024, 80) : <1024x80xf32, (d0, d1) -> (d0, d1)>
    %w = sparkle.tensor weight "w" extents () -> (1024, 80) : <1024x80xf32, (d0, d1) -> (d0, d1)>
    %y = sparkle.tensor output "y" extents () -> (1024, 1024) : <1024x1024xf32, (d0, d1) -> (d0, d1)>
    sparkle.define %y ["m", "n", "k"] reductions 1 extents () -> (1024, 1024, 80) pattern <workers = [32, 64, 1], near = [1, 1, 48], lanes = [8, 0, 1]> {
      %0 = sparkle.sum {
        %1 = sparkle.read %a (d0, d1, d2) -> (d0, d2) : <1024x80xf32, (d0, d1) -> (d0, d1)> -> f32
        %2 = sparkle.read %w (d0, d1, d2) -> (d1, d2) : <1024x80xf32, (d0, d1) -> (d0, d1)> -> f32
        %3 = arith.mulf %1, %2 : f32
        sparkle.yield %3 : f32
      } : f32
      sparkle.yield %0 : f32
    } : <1024x1024xf32, (d0, d1) -> (d0, d1)>
  }

// Few workers and a long sum: the sum is divided, and its steps divide the part.
// CHECK-LABEL: sparkle.kernel @divided
// CHECK: pattern <workers = [{{[0-9]+}}, {{[0-9]+}}, {{64|128|256|512}}], near = [1, 1, {{4|8|16|32}}]
  sparkle.kernel @divided sizes [] {
    %a = sparkle.tensor input "a" extents () -> (64, 4096) : <64x4096xf32, (d0, d1) -> (d0, d1)>
    %w = sparkle.tensor weight "w" extents () -> (64, 4096) : <64x4096xf32, (d0, d1) -> (d0, d1)>
    %y = sparkle.tensor output "y" extents () -> (64, 64) : <64x64xf32, (d0, d1) -> (d0, d1)>
    sparkle.define %y ["m", "n", "k"] reductions 1 extents () -> (64, 64, 4096) {
      %0 = sparkle.sum {
        %1 = sparkle.read %a (d0, d1, d2) -> (d0, d2) : <64x4096xf32, (d0, d1) -> (d0, d1)> -> f32
        %2 = sparkle.read %w (d0, d1, d2) -> (d1, d2) : <64x4096xf32, (d0, d1) -> (d0, d1)> -> f32
        %3 = arith.mulf %1, %2 : f32
        sparkle.yield %3 : f32
      } : f32
      sparkle.yield %0 : f32
    } : <64x64xf32, (d0, d1) -> (d0, d1)>
  }
}

// -----

module attributes {sparkle.target = #sparkle.target<word = "gpu", lanes = 128, vectors = 32, fma_latency = 4, near_bytes = 16384, close_bytes = 0, copies = true, masked = true, cores = 128, near_read = 3>} {

// A lane has all six rows that a constant varies along, though that is more than
// it has sums for, and none of the others twice; it sums over all of both
// indices at once.
// CHECK-LABEL: sparkle.kernel @whole
// CHECK: registers = [{{[0-9]+}}, {{[0-9]+}}, 6, 6, 1, 1], lanes = [{{[0-9]+}}, {{[0-9]+}}, 1, 1, 1, 1], unroll = [1, 1, 1, 1, 6, 6]
  sparkle.kernel @whole sizes [] {
    %b = sparkle.constant dense<1.0> : tensor<6x6xf32> as !sparkle.tensor<6x6xf32, (d0, d1) -> (d0, d1)>
    %x = sparkle.tensor input "x" extents () -> (64, 26) : <64x26xf32, (d0, d1) -> (d0, d1)>
    %t = sparkle.tensor output "t" extents () -> (64, 6, 6, 6) : <64x6x6x6xf32, (d0, d1, d2, d3) -> (d2, d3, d1, d0)>
    sparkle.define %t ["c", "i", "a", "b", "r", "s"] reductions 2 extents () -> (64, 6, 6, 6, 6, 6) {
      %0 = sparkle.sum {
        %1 = sparkle.read %b (d0, d1, d2, d3, d4, d5) -> (d2, d4) : <6x6xf32, (d0, d1) -> (d0, d1)> -> f32
        %2 = sparkle.read %b (d0, d1, d2, d3, d4, d5) -> (d3, d5) : <6x6xf32, (d0, d1) -> (d0, d1)> -> f32
        %3 = sparkle.read %x (d0, d1, d2, d3, d4, d5) -> (d0, d1 * 4 + d4 + d5) : <64x26xf32, (d0, d1) -> (d0, d1)> -> f32
        %4 = arith.mulf %1, %2 : f32
        %5 = arith.mulf %4, %3 : f32
        sparkle.yield %5 : f32
      } : f32
      sparkle.yield %0 : f32
    } : <64x6x6x6xf32, (d0, d1, d2, d3) -> (d2, d3, d1, d0)>
  }

// Of an index that counts modulo 4, a lane has whole periods, also where the
// extent is less than one.
// CHECK-LABEL: sparkle.kernel @periods
// CHECK: registers = [4, {{[0-9]+}}, 1], lanes = [1, {{[0-9]+}}, 1], unroll = [1, 1, 6]
  sparkle.kernel @periods sizes [] {
    %b = sparkle.constant dense<1.0> : tensor<4x6xf32> as !sparkle.tensor<4x6xf32, (d0, d1) -> (d0, d1)>
    %x = sparkle.tensor input "x" extents () -> (1, 64, 6) : <1x64x6xf32, (d0, d1, d2) -> (d2, d0, d1)>
    %y = sparkle.tensor output "y" extents () -> (3, 64) : <3x64xf32, (d0, d1) -> (d0, d1)>
    sparkle.define %y ["p", "k", "a"] reductions 1 extents () -> (3, 64, 6) {
      %0 = sparkle.sum {
        %1 = sparkle.read %b (d0, d1, d2) -> (d0 mod 4, d2) : <4x6xf32, (d0, d1) -> (d0, d1)> -> f32
        %2 = sparkle.read %x (d0, d1, d2) -> (d0 floordiv 4, d1, d2) : <1x64x6xf32, (d0, d1, d2) -> (d2, d0, d1)> -> f32
        %3 = arith.mulf %1, %2 : f32
        sparkle.yield %3 : f32
      } : f32
      sparkle.yield %0 : f32
    } : <3x64xf32, (d0, d1) -> (d0, d1)>
  }

// The worker of what is computed near is the box, two wider than the one that
// reads it; its lanes are no more than that has.
// CHECK-LABEL: sparkle.kernel @fused
// CHECK: sparkle.define %t
// CHECK-SAME: pattern <workers = [32, 18, 1]
// CHECK-SAME: lanes = [4, 4, 1]
// CHECK: sparkle.define %y
// CHECK-SAME: lanes = [16, 1, 1, 1]
  sparkle.kernel @fused sizes [] {
    %x = sparkle.tensor input "x" extents () -> (32, 64) : <32x64xf32, (d0, d1) -> (d1, d0)>
    %v = sparkle.tensor weight "v" extents () -> (32, 32) : <32x32xf32, (d0, d1) -> (d0, d1)>
    %w = sparkle.tensor weight "w" extents () -> (32, 32, 3) : <32x32x3xf32, (d0, d1, d2) -> (d0, d1, d2)>
    %t = sparkle.tensor temp "t" extents () -> (32, 64) : <32x64xf32, (d0, d1) -> (d1, d0)>
    %y = sparkle.tensor output "y" extents () -> (32, 64) : <32x64xf32, (d0, d1) -> (d1, d0)>
    sparkle.define %t ["c", "p", "d"] reductions 1 extents () -> (32, 64, 32) {
      %0 = sparkle.sum {
        %1 = sparkle.read %x (d0, d1, d2) -> (d2, d1) : <32x64xf32, (d0, d1) -> (d1, d0)> -> f32
        %2 = sparkle.read %v (d0, d1, d2) -> (d0, d2) : <32x32xf32, (d0, d1) -> (d0, d1)> -> f32
        %3 = arith.mulf %1, %2 : f32
        sparkle.yield %3 : f32
      } : f32
      sparkle.yield %0 : f32
    } : <32x64xf32, (d0, d1) -> (d1, d0)>
    sparkle.define %y ["k", "p", "c", "r"] reductions 2 extents () -> (32, 64, 32, 3) pattern <workers = [32, 16, 1, 1], near = [1, 1, 32, 3], registers = [32, 16, 1, 1], lanes = [16, 1, 1, 1], fuse = ["t"]> {
      %0 = sparkle.sum {
        %1 = sparkle.read %t (d0, d1, d2, d3) -> (d2, d1 + d3 - 1) : <32x64xf32, (d0, d1) -> (d1, d0)> -> f32
        %2 = sparkle.read %w (d0, d1, d2, d3) -> (d0, d2, d3) : <32x32x3xf32, (d0, d1, d2) -> (d0, d1, d2)> -> f32
        %3 = arith.mulf %1, %2 : f32
        sparkle.yield %3 : f32
      } : f32
      sparkle.yield %0 : f32
    } : <32x64xf32, (d0, d1) -> (d1, d0)>
  }
}
