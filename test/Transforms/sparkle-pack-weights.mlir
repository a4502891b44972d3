// RUN: sparkle-opt %s --sparkle-pack-weights | FileCheck %s

// The register tile is innermost, the loops over the sum outside of it.
// CHECK-LABEL: sparkle.kernel @tile
// CHECK: sparkle.pack %{{.*}} to <64x128xf32, (d0, d1) -> (d0 floordiv 32, d1, d0 mod 32)>
sparkle.kernel @tile sizes [] {
  %a = sparkle.tensor input "a" extents () -> (100, 128) : !sparkle.tensor<100x128xf32, (d0, d1) -> (d0, d1)>
  %w = sparkle.tensor weight "w" extents () -> (64, 128) : !sparkle.tensor<64x128xf32, (d0, d1) -> (d0, d1)>
  %y = sparkle.tensor output "y" extents () -> (100, 64) : !sparkle.tensor<100x64xf32, (d0, d1) -> (d0, d1)>
  sparkle.define %y ["m", "n", "k"] reductions 1 extents () -> (100, 64, 128) pattern <workers = [8, 64, 1], near = [1, 1, 128], stage = [], registers = [8, 32, 1], lanes = [1, 16, 1], unroll = [1, 1, 4], order = [0, 1, 2]> {
    %0 = sparkle.sum {
      %1 = sparkle.read %a (d0, d1, d2) -> (d0, d2) : !sparkle.tensor<100x128xf32, (d0, d1) -> (d0, d1)> -> f32
      %2 = sparkle.read %w (d0, d1, d2) -> (d1, d2) : !sparkle.tensor<64x128xf32, (d0, d1) -> (d0, d1)> -> f32
      %3 = arith.mulf %1, %2 : f32
      sparkle.yield %3 : f32
    } : f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<100x64xf32, (d0, d1) -> (d0, d1)>
}

// A near step keeps its block together; a last vector is filled up.
// CHECK-LABEL: sparkle.kernel @near
// CHECK: sparkle.pack %{{.*}} to <5x128xf32, (d0, d1) -> (d0 floordiv 16, d1 floordiv 32, d1 mod 32, d0 mod 16)>
sparkle.kernel @near sizes [] {
  %a = sparkle.tensor input "a" extents () -> (100, 128) : !sparkle.tensor<100x128xf32, (d0, d1) -> (d0, d1)>
  %w = sparkle.tensor weight "w" extents () -> (5, 128) : !sparkle.tensor<5x128xf32, (d0, d1) -> (d0, d1)>
  %y = sparkle.tensor output "y" extents () -> (100, 5) : !sparkle.tensor<100x5xf32, (d0, d1) -> (d0, d1)>
  sparkle.define %y ["m", "n", "k"] reductions 1 extents () -> (100, 5, 128) pattern <workers = [8, 5, 1], near = [1, 1, 32], stage = [], registers = [8, 5, 1], lanes = [1, 16, 1], unroll = [1, 1, 4], order = [0, 1, 2]> {
    %0 = sparkle.sum {
      %1 = sparkle.read %a (d0, d1, d2) -> (d0, d2) : !sparkle.tensor<100x128xf32, (d0, d1) -> (d0, d1)> -> f32
      %2 = sparkle.read %w (d0, d1, d2) -> (d1, d2) : !sparkle.tensor<5x128xf32, (d0, d1) -> (d0, d1)> -> f32
      %3 = arith.mulf %1, %2 : f32
      sparkle.yield %3 : f32
    } : f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<100x5xf32, (d0, d1) -> (d0, d1)>
}

// So do lanes along the sum, whose neighbours are innermost: of a near step, and
// where there is but one.
// CHECK-LABEL: sparkle.kernel @summed
// CHECK: sparkle.pack %{{.*}} to <6x128xf32, (d0, d1) -> (d0 floordiv 3, d1 floordiv 64, (d1 floordiv 16) mod 4, d0 mod 3, d1 mod 16)>
// CHECK: sparkle.pack %{{.*}} to <6x128xf32, (d0, d1) -> (d0 floordiv 3, d1 floordiv 16, d0 mod 3, d1 mod 16)>
sparkle.kernel @summed sizes [] {
  %a = sparkle.tensor input "a" extents () -> (100, 128) : !sparkle.tensor<100x128xf32, (d0, d1) -> (d0, d1)>
  %v = sparkle.tensor weight "v" extents () -> (6, 128) : !sparkle.tensor<6x128xf32, (d0, d1) -> (d0, d1)>
  %w = sparkle.tensor weight "w" extents () -> (6, 128) : !sparkle.tensor<6x128xf32, (d0, d1) -> (d0, d1)>
  %y = sparkle.tensor output "y" extents () -> (100, 6) : !sparkle.tensor<100x6xf32, (d0, d1) -> (d0, d1)>
  %z = sparkle.tensor output "z" extents () -> (100, 6) : !sparkle.tensor<100x6xf32, (d0, d1) -> (d0, d1)>
  sparkle.define %y ["m", "n", "k"] reductions 1 extents () -> (100, 6, 128) pattern <workers = [8, 6, 1], near = [1, 1, 64], stage = [], registers = [8, 3, 1], lanes = [1, 1, 16], unroll = [1, 1, 64], order = [0, 1, 2]> {
    %0 = sparkle.sum {
      %1 = sparkle.read %a (d0, d1, d2) -> (d0, d2) : !sparkle.tensor<100x128xf32, (d0, d1) -> (d0, d1)> -> f32
      %2 = sparkle.read %v (d0, d1, d2) -> (d1, d2) : !sparkle.tensor<6x128xf32, (d0, d1) -> (d0, d1)> -> f32
      %3 = arith.mulf %1, %2 : f32
      sparkle.yield %3 : f32
    } : f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<100x6xf32, (d0, d1) -> (d0, d1)>
  sparkle.define %z ["m", "n", "k"] reductions 1 extents () -> (100, 6, 128) pattern <workers = [8, 6, 1], near = [1, 1, 128], stage = [], registers = [8, 3, 1], lanes = [1, 1, 16], unroll = [1, 1, 64], order = [0, 1, 2]> {
    %0 = sparkle.sum {
      %1 = sparkle.read %a (d0, d1, d2) -> (d0, d2) : !sparkle.tensor<100x128xf32, (d0, d1) -> (d0, d1)> -> f32
      %2 = sparkle.read %w (d0, d1, d2) -> (d1, d2) : !sparkle.tensor<6x128xf32, (d0, d1) -> (d0, d1)> -> f32
      %3 = arith.mulf %1, %2 : f32
      sparkle.yield %3 : f32
    } : f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<100x6xf32, (d0, d1) -> (d0, d1)>
}

// What a transposed convolution reads by remainders is not divided: a tile of
// several remainders reads it at each step of the sum, in front of the channels
// where these are walked along inside.
// CHECK-LABEL: sparkle.kernel @transposed
// CHECK: sparkle.pack %{{.*}} to <64x128x4xf32, (d0, d1, d2) -> (d0 floordiv 32, d2, d1, d0 mod 32)>
sparkle.kernel @transposed sizes [] {
  %a = sparkle.tensor input "a" extents () -> (100, 128) : !sparkle.tensor<100x128xf32, (d0, d1) -> (d0, d1)>
  %w = sparkle.tensor weight "w" extents () -> (64, 128, 4) : !sparkle.tensor<64x128x4xf32, (d0, d1, d2) -> (d0, d1, d2)>
  %y = sparkle.tensor output "y" extents () -> (200, 64) : !sparkle.tensor<200x64xf32, (d0, d1) -> (d0, d1)>
  sparkle.define %y ["m", "n", "r", "k"] reductions 2 extents () -> (200, 64, 2, 128) pattern <workers = [8, 64, 1, 1], near = [1, 1, 2, 128], stage = [], registers = [8, 32, 1, 1], lanes = [1, 16, 1, 1], unroll = [1, 1, 1, 4], order = [0, 1, 2, 3]> {
    %0 = sparkle.sum {
      %1 = sparkle.read %a (d0, d1, d2, d3) -> (d0 floordiv 2 - d2, d3) : !sparkle.tensor<100x128xf32, (d0, d1) -> (d0, d1)> -> f32
      %2 = sparkle.read %w (d0, d1, d2, d3) -> (d1, d3, d2 * 2 + d0 mod 2) : !sparkle.tensor<64x128x4xf32, (d0, d1, d2) -> (d0, d1, d2)> -> f32
      %3 = arith.mulf %1, %2 : f32
      sparkle.yield %3 : f32
    } : f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<200x64xf32, (d0, d1) -> (d0, d1)>
}

// Behind them where they are walked along outside.
// CHECK-LABEL: sparkle.kernel @steps
// CHECK: sparkle.pack %{{.*}} to <64x128x4xf32, (d0, d1, d2) -> (d0 floordiv 32, d1, d2, d0 mod 32)>
sparkle.kernel @steps sizes [] {
  %a = sparkle.tensor input "a" extents () -> (100, 128) : !sparkle.tensor<100x128xf32, (d0, d1) -> (d0, d1)>
  %w = sparkle.tensor weight "w" extents () -> (64, 128, 4) : !sparkle.tensor<64x128x4xf32, (d0, d1, d2) -> (d0, d1, d2)>
  %y = sparkle.tensor output "y" extents () -> (200, 64) : !sparkle.tensor<200x64xf32, (d0, d1) -> (d0, d1)>
  sparkle.define %y ["m", "n", "r", "k"] reductions 2 extents () -> (200, 64, 2, 128) pattern <workers = [8, 64, 1, 1], near = [1, 1, 2, 128], stage = [], registers = [8, 32, 1, 1], lanes = [1, 16, 1, 1], unroll = [1, 1, 1, 4], order = [0, 1, 3, 2]> {
    %0 = sparkle.sum {
      %1 = sparkle.read %a (d0, d1, d2, d3) -> (d0 floordiv 2 - d2, d3) : !sparkle.tensor<100x128xf32, (d0, d1) -> (d0, d1)> -> f32
      %2 = sparkle.read %w (d0, d1, d2, d3) -> (d1, d3, d2 * 2 + d0 mod 2) : !sparkle.tensor<64x128x4xf32, (d0, d1, d2) -> (d0, d1, d2)> -> f32
      %3 = arith.mulf %1, %2 : f32
      sparkle.yield %3 : f32
    } : f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<200x64xf32, (d0, d1) -> (d0, d1)>
}

// A tile of one remainder reads every other one.
// CHECK-LABEL: sparkle.kernel @single
// CHECK: sparkle.pack %{{.*}} to <64x128x4xf32, (d0, d1, d2) -> (d0 floordiv 32, d2, d1, d0 mod 32)>
sparkle.kernel @single sizes [] {
  %a = sparkle.tensor input "a" extents () -> (100, 128) : !sparkle.tensor<100x128xf32, (d0, d1) -> (d0, d1)>
  %w = sparkle.tensor weight "w" extents () -> (64, 128, 4) : !sparkle.tensor<64x128x4xf32, (d0, d1, d2) -> (d0, d1, d2)>
  %y = sparkle.tensor output "y" extents () -> (200, 64) : !sparkle.tensor<200x64xf32, (d0, d1) -> (d0, d1)>
  sparkle.define %y ["m", "n", "r", "k"] reductions 2 extents () -> (200, 64, 2, 128) pattern <workers = [8, 64, 1, 1], near = [1, 1, 2, 128], stage = [], registers = [1, 32, 1, 1], lanes = [1, 16, 1, 1], unroll = [1, 1, 1, 4], order = [0, 1, 3, 2]> {
    %0 = sparkle.sum {
      %1 = sparkle.read %a (d0, d1, d2, d3) -> (d0 floordiv 2 - d2, d3) : !sparkle.tensor<100x128xf32, (d0, d1) -> (d0, d1)> -> f32
      %2 = sparkle.read %w (d0, d1, d2, d3) -> (d1, d3, d2 * 2 + d0 mod 2) : !sparkle.tensor<64x128x4xf32, (d0, d1, d2) -> (d0, d1, d2)> -> f32
      %3 = arith.mulf %1, %2 : f32
      sparkle.yield %3 : f32
    } : f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<200x64xf32, (d0, d1) -> (d0, d1)>
}

// Where lanes go along the remainder, neighbours lie in a row as they are.
// CHECK-LABEL: sparkle.kernel @across
// CHECK-NOT: sparkle.pack
sparkle.kernel @across sizes [] {
  %a = sparkle.tensor input "a" extents () -> (100, 128) : !sparkle.tensor<100x128xf32, (d0, d1) -> (d0, d1)>
  %w = sparkle.tensor weight "w" extents () -> (64, 128, 4) : !sparkle.tensor<64x128x4xf32, (d0, d1, d2) -> (d0, d1, d2)>
  %y = sparkle.tensor output "y" extents () -> (200, 64) : !sparkle.tensor<200x64xf32, (d0, d1) -> (d0, d1)>
  sparkle.define %y ["m", "n", "r", "k"] reductions 2 extents () -> (200, 64, 2, 128) pattern <workers = [16, 64, 1, 1], near = [1, 1, 2, 128], stage = [], registers = [16, 4, 1, 1], lanes = [16, 1, 1, 1], unroll = [1, 1, 1, 4], order = [0, 1, 2, 3]> {
    %0 = sparkle.sum {
      %1 = sparkle.read %a (d0, d1, d2, d3) -> (d0 floordiv 2 - d2, d3) : !sparkle.tensor<100x128xf32, (d0, d1) -> (d0, d1)> -> f32
      %2 = sparkle.read %w (d0, d1, d2, d3) -> (d1, d3, d2 * 2 + d0 mod 2) : !sparkle.tensor<64x128x4xf32, (d0, d1, d2) -> (d0, d1, d2)> -> f32
      %3 = arith.mulf %1, %2 : f32
      sparkle.yield %3 : f32
    } : f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<200x64xf32, (d0, d1) -> (d0, d1)>
}

// Of a dimension that repeats another one, that one alone is divided.
// CHECK-LABEL: sparkle.kernel @diagonal
// CHECK: sparkle.pack %{{.*}} to <64x64x128xf32, (d0, d1, d2) -> (d0 floordiv 32, d1, d2, d0 mod 32)>
sparkle.kernel @diagonal sizes [] {
  %a = sparkle.tensor input "a" extents () -> (100, 128) : !sparkle.tensor<100x128xf32, (d0, d1) -> (d0, d1)>
  %w = sparkle.tensor weight "w" extents () -> (64, 64, 128) : !sparkle.tensor<64x64x128xf32, (d0, d1, d2) -> (d0, d1, d2)>
  %y = sparkle.tensor output "y" extents () -> (100, 64) : !sparkle.tensor<100x64xf32, (d0, d1) -> (d0, d1)>
  sparkle.define %y ["m", "n", "k"] reductions 1 extents () -> (100, 64, 128) pattern <workers = [8, 64, 1], near = [1, 1, 128], stage = [], registers = [8, 32, 1], lanes = [1, 16, 1], unroll = [1, 1, 4], order = [0, 1, 2]> {
    %0 = sparkle.sum {
      %1 = sparkle.read %a (d0, d1, d2) -> (d0, d2) : !sparkle.tensor<100x128xf32, (d0, d1) -> (d0, d1)> -> f32
      %2 = sparkle.read %w (d0, d1, d2) -> (d1, d1, d2) : !sparkle.tensor<64x64x128xf32, (d0, d1, d2) -> (d0, d1, d2)> -> f32
      %3 = arith.mulf %1, %2 : f32
      sparkle.yield %3 : f32
    } : f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<100x64xf32, (d0, d1) -> (d0, d1)>
}

// Of a merged index, a block is whole groups or a part of one, or else there is no
// layout for it.
// CHECK-LABEL: sparkle.kernel @groups
// CHECK: sparkle.pack %{{.*}} to <32x4x8xf32, (d0, d1, d2) -> (d0 floordiv 4, d2, d0 mod 4, d1)>
sparkle.kernel @groups sizes [] {
  %x = sparkle.tensor input "x" extents () -> (32, 8) : !sparkle.tensor<32x8xf32, (d0, d1) -> (d0, d1)>
  %w = sparkle.tensor weight "w" extents () -> (32, 4, 8) : !sparkle.tensor<32x4x8xf32, (d0, d1, d2) -> (d0, d1, d2)>
  %y = sparkle.tensor output "y" extents () -> (128) : !sparkle.tensor<128xf32, (d0) -> (d0)>
  sparkle.define %y ["k", "c"] reductions 1 extents () -> (128, 8) pattern <workers = [128, 1], near = [1, 8], stage = [], registers = [16, 1], lanes = [16, 1], unroll = [1, 4], order = [0, 1]> {
    %0 = sparkle.sum {
      %1 = sparkle.read %x (d0, d1) -> (d0 floordiv 4, d1) : !sparkle.tensor<32x8xf32, (d0, d1) -> (d0, d1)> -> f32
      %2 = sparkle.read %w (d0, d1) -> (d0 floordiv 4, d0 mod 4, d1) : !sparkle.tensor<32x4x8xf32, (d0, d1, d2) -> (d0, d1, d2)> -> f32
      %3 = arith.mulf %1, %2 : f32
      sparkle.yield %3 : f32
    } : f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<128xf32, (d0) -> (d0)>
}

// CHECK-LABEL: sparkle.kernel @parts
// CHECK: sparkle.pack %{{.*}} to <4x32x8xf32, (d0, d1, d2) -> (d0, d1 floordiv 16, d2, d1 mod 16)>
sparkle.kernel @parts sizes [] {
  %x = sparkle.tensor input "x" extents () -> (4, 8) : !sparkle.tensor<4x8xf32, (d0, d1) -> (d0, d1)>
  %w = sparkle.tensor weight "w" extents () -> (4, 32, 8) : !sparkle.tensor<4x32x8xf32, (d0, d1, d2) -> (d0, d1, d2)>
  %y = sparkle.tensor output "y" extents () -> (128) : !sparkle.tensor<128xf32, (d0) -> (d0)>
  sparkle.define %y ["k", "c"] reductions 1 extents () -> (128, 8) pattern <workers = [128, 1], near = [1, 8], stage = [], registers = [16, 1], lanes = [16, 1], unroll = [1, 4], order = [0, 1]> {
    %0 = sparkle.sum {
      %1 = sparkle.read %x (d0, d1) -> (d0 floordiv 32, d1) : !sparkle.tensor<4x8xf32, (d0, d1) -> (d0, d1)> -> f32
      %2 = sparkle.read %w (d0, d1) -> (d0 floordiv 32, d0 mod 32, d1) : !sparkle.tensor<4x32x8xf32, (d0, d1, d2) -> (d0, d1, d2)> -> f32
      %3 = arith.mulf %1, %2 : f32
      sparkle.yield %3 : f32
    } : f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<128xf32, (d0) -> (d0)>
}

// CHECK-LABEL: sparkle.kernel @uneven
// CHECK-NOT: sparkle.pack
sparkle.kernel @uneven sizes [] {
  %x = sparkle.tensor input "x" extents () -> (4, 8) : !sparkle.tensor<4x8xf32, (d0, d1) -> (d0, d1)>
  %w = sparkle.tensor weight "w" extents () -> (4, 24, 8) : !sparkle.tensor<4x24x8xf32, (d0, d1, d2) -> (d0, d1, d2)>
  %y = sparkle.tensor output "y" extents () -> (96) : !sparkle.tensor<96xf32, (d0) -> (d0)>
  sparkle.define %y ["k", "c"] reductions 1 extents () -> (96, 8) pattern <workers = [96, 1], near = [1, 8], stage = [], registers = [16, 1], lanes = [16, 1], unroll = [1, 4], order = [0, 1]> {
    %0 = sparkle.sum {
      %1 = sparkle.read %x (d0, d1) -> (d0 floordiv 24, d1) : !sparkle.tensor<4x8xf32, (d0, d1) -> (d0, d1)> -> f32
      %2 = sparkle.read %w (d0, d1) -> (d0 floordiv 24, d0 mod 24, d1) : !sparkle.tensor<4x24x8xf32, (d0, d1, d2) -> (d0, d1, d2)> -> f32
      %3 = arith.mulf %1, %2 : f32
      sparkle.yield %3 : f32
    } : f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<96xf32, (d0) -> (d0)>
}

// A weight that only the epilogue reads keeps its layout.
// CHECK-LABEL: sparkle.kernel @bias
// CHECK-NOT: sparkle.pack
sparkle.kernel @bias sizes [] {
  %b = sparkle.tensor weight "b" extents () -> (16) : !sparkle.tensor<16xf32, (d0) -> (d0)>
  %y = sparkle.tensor output "y" extents () -> (16) : !sparkle.tensor<16xf32, (d0) -> (d0)>
  sparkle.define %y ["i"] reductions 0 extents () -> (16) {
    %0 = sparkle.read %b (d0) -> (d0) : !sparkle.tensor<16xf32, (d0) -> (d0)> -> f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<16xf32, (d0) -> (d0)>
}
