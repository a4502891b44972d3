// RUN: sparkle-opt %s --sparkle-merge-indices --split-input-file --verify-diagnostics | FileCheck %s

// All pictures' points are one index; the bytes stay where they are, and the
// caller's tensor what it was.
// CHECK-LABEL: sparkle.kernel @points
// CHECK: %[[X:.*]] = sparkle.tensor input "x" extents () -> (16, 98) declared () -> (16, 2, 7, 7) as !sparkle.tensor<16x2x7x7xf32, (d0, d1, d2, d3) -> (d1, d2, d3, d0)> : <16x98xf32, (d0, d1) -> (d1, d0)>
// CHECK: %[[B:.*]] = sparkle.tensor input "b" extents () -> (8) : <8xf32, (d0) -> (d0)>
// CHECK: sparkle.define %{{.*}} ["k", "q", "c"] reductions 1 extents () -> (8, 98, 16) pattern <merge = ["n", "p", "q"]>
// CHECK: sparkle.read %[[X]] (d0, d1, d2) -> (d2, d1)
// CHECK: sparkle.read %[[B]] (d0, d1, d2) -> (d0)
sparkle.kernel @points sizes [] {
  %x = sparkle.tensor input "x" extents () -> (16, 2, 7, 7) : !sparkle.tensor<16x2x7x7xf32, (d0, d1, d2, d3) -> (d1, d2, d3, d0)>
  %b = sparkle.tensor input "b" extents () -> (8) : !sparkle.tensor<8xf32, (d0) -> (d0)>
  %w = sparkle.tensor weight "w" extents () -> (8, 16) : !sparkle.tensor<8x16xf32, (d0, d1) -> (d0, d1)>
  %y = sparkle.tensor output "y" extents () -> (8, 2, 7, 7) : !sparkle.tensor<8x2x7x7xf32, (d0, d1, d2, d3) -> (d1, d2, d3, d0)>
  sparkle.define %y ["k", "n", "p", "q", "c"] reductions 1 extents () -> (8, 2, 7, 7, 16) {
    %0 = sparkle.sum {
      %1 = sparkle.read %x (d0, d1, d2, d3, d4) -> (d4, d1, d2, d3) : !sparkle.tensor<16x2x7x7xf32, (d0, d1, d2, d3) -> (d1, d2, d3, d0)> -> f32
      %2 = sparkle.read %w (d0, d1, d2, d3, d4) -> (d0, d4) : !sparkle.tensor<8x16xf32, (d0, d1) -> (d0, d1)> -> f32
      %3 = arith.mulf %1, %2 : f32
      sparkle.yield %3 : f32
    } : f32
    %4 = sparkle.read %b (d0, d1, d2, d3, d4) -> (d0) : !sparkle.tensor<8xf32, (d0) -> (d0)> -> f32
    %5 = arith.addf %0, %4 : f32
    sparkle.yield %5 : f32
  } : !sparkle.tensor<8x2x7x7xf32, (d0, d1, d2, d3) -> (d1, d2, d3, d0)>
}

// -----

// Rows and columns that only the call knows are as many points as their
// product; pictures of a known size stay apart.
// CHECK-LABEL: sparkle.kernel @unknown
// CHECK: %[[X:.*]] = sparkle.tensor input "x" extents ()[s0, s1] -> (s0 * s1, 16) declared ()[s0, s1] -> (s0, s1, 16) as !sparkle.tensor<?x?x16xf32, (d0, d1, d2) -> (d0, d1, d2)> : <?x16xf32, (d0, d1) -> (d0, d1)>
// CHECK: sparkle.define %{{.*}} ["q", "c"] reductions 1 extents ()[s0, s1] -> (s0 * s1, 16) pattern <merge = ["p", "q"]>
// CHECK: sparkle.read %[[X]] (d0, d1) -> (d0, d1)
// CHECK: sparkle.define %{{.*}} ["n", "q"] reductions 0 extents ()[s0, s1] -> (s0, 12) pattern <merge = ["p", "q"]>
sparkle.kernel @unknown sizes ["H", "W"] {
  %x = sparkle.tensor input "x" extents ()[s0, s1] -> (s0, s1, 16) : !sparkle.tensor<?x?x16xf32, (d0, d1, d2) -> (d0, d1, d2)>
  %y = sparkle.tensor output "y" extents ()[s0, s1] -> (s0, s1) : !sparkle.tensor<?x?xf32, (d0, d1) -> (d0, d1)>
  %z = sparkle.tensor output "z" extents ()[s0, s1] -> (s0, 3, 4) : !sparkle.tensor<?x3x4xf32, (d0, d1, d2) -> (d0, d1, d2)>
  sparkle.define %y ["p", "q", "c"] reductions 1 extents ()[s0, s1] -> (s0, s1, 16) {
    %0 = sparkle.sum {
      %1 = sparkle.read %x (d0, d1, d2) -> (d0, d1, d2) : !sparkle.tensor<?x?x16xf32, (d0, d1, d2) -> (d0, d1, d2)> -> f32
      sparkle.yield %1 : f32
    } : f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<?x?xf32, (d0, d1) -> (d0, d1)>
  sparkle.define %z ["n", "p", "q"] reductions 0 extents ()[s0, s1] -> (s0, 3, 4) {
    %0 = arith.constant 1.0 : f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<?x3x4xf32, (d0, d1, d2) -> (d0, d1, d2)>
}

// -----

// A grid is counted by linear functions of the sizes.
// CHECK-LABEL: sparkle.kernel @grid
// CHECK: sparkle.define %{{.*}} ["p", "q"] reductions 0 extents ()[s0, s1] -> (s0, s1) {
module attributes {sparkle.target = #sparkle.target<word = "vulkan", lanes = 16, vectors = 32, fma_latency = 8, near_bytes = 32768, close_bytes = 32768, copies = true, masked = true>} {
  sparkle.kernel @grid sizes ["H", "W"] {
    %y = sparkle.tensor output "y" extents ()[s0, s1] -> (s0, s1) : !sparkle.tensor<?x?xf32, (d0, d1) -> (d0, d1)>
    sparkle.define %y ["p", "q"] reductions 0 extents ()[s0, s1] -> (s0, s1) {
      %0 = arith.constant 1.0 : f32
      sparkle.yield %0 : f32
    } : !sparkle.tensor<?x?xf32, (d0, d1) -> (d0, d1)>
  }
}

// -----

// A tap that is always 0 is none.
// CHECK-LABEL: sparkle.kernel @tap
// CHECK: sparkle.define %{{.*}} ["q", "r"] reductions 1 extents () -> (6, 1) pattern <merge = ["p", "q"]>
// CHECK: sparkle.read %{{.*}} (d0, d1) -> (d0)
sparkle.kernel @tap sizes [] {
  %x = sparkle.tensor input "x" extents () -> (2, 3) : !sparkle.tensor<2x3xf32, (d0, d1) -> (d0, d1)>
  %y = sparkle.tensor output "y" extents () -> (2, 3) : !sparkle.tensor<2x3xf32, (d0, d1) -> (d0, d1)>
  sparkle.define %y ["p", "q", "r"] reductions 1 extents () -> (2, 3, 1) {
    %0 = sparkle.sum {
      %1 = sparkle.read %x (d0, d1, d2) -> (d0 + d2, d1) : !sparkle.tensor<2x3xf32, (d0, d1) -> (d0, d1)> -> f32
      sparkle.yield %1 : f32
    } : f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<2x3xf32, (d0, d1) -> (d0, d1)>
}

// -----

// The sizes of the last that is named are those of all.
// CHECK-LABEL: sparkle.kernel @named
// CHECK: sparkle.define %{{.*}} ["n", "q"] reductions 0 extents () -> (2, 12) pattern <workers = [1, 6], order = [0, 1], merge = ["p", "q"]>
sparkle.kernel @named sizes [] {
  %x = sparkle.tensor input "x" extents () -> (2, 3, 4) : !sparkle.tensor<2x3x4xf32, (d0, d1, d2) -> (d0, d1, d2)>
  %y = sparkle.tensor output "y" extents () -> (2, 3, 4) : !sparkle.tensor<2x3x4xf32, (d0, d1, d2) -> (d0, d1, d2)>
  sparkle.define %y ["n", "p", "q"] reductions 0 extents () -> (2, 3, 4) pattern <workers = [1, 1, 6], order = [0, 1, 2], merge = ["p", "q"]> {
    %0 = sparkle.read %x (d0, d1, d2) -> (d0, d1, d2) : !sparkle.tensor<2x3x4xf32, (d0, d1, d2) -> (d0, d1, d2)> -> f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<2x3x4xf32, (d0, d1, d2) -> (d0, d1, d2)>
}

// -----

// Nothing is asked for by a pattern with a size of an index, by `none`, or
// where only an extent of 1 is in front.
// CHECK-LABEL: sparkle.kernel @left
// CHECK: sparkle.define %{{.*}} ["n", "p"] {{.*}} pattern <workers = [1, 2]>
// CHECK: sparkle.define %{{.*}} ["n", "p"] {{.*}} pattern <merge = []>
// CHECK: sparkle.define %{{.*}} ["n", "p"] {{.*}} (1, 4) {
sparkle.kernel @left sizes [] {
  %x = sparkle.tensor output "x" extents () -> (2, 4) : !sparkle.tensor<2x4xf32, (d0, d1) -> (d0, d1)>
  %y = sparkle.tensor output "y" extents () -> (2, 4) : !sparkle.tensor<2x4xf32, (d0, d1) -> (d0, d1)>
  %z = sparkle.tensor output "z" extents () -> (1, 4) : !sparkle.tensor<1x4xf32, (d0, d1) -> (d0, d1)>
  %0 = arith.constant 1.0 : f32
  sparkle.define %x ["n", "p"] reductions 0 extents () -> (2, 4) pattern <workers = [1, 2]> {
    sparkle.yield %0 : f32
  } : !sparkle.tensor<2x4xf32, (d0, d1) -> (d0, d1)>
  sparkle.define %y ["n", "p"] reductions 0 extents () -> (2, 4) pattern <merge = []> {
    sparkle.yield %0 : f32
  } : !sparkle.tensor<2x4xf32, (d0, d1) -> (d0, d1)>
  sparkle.define %z ["n", "p"] reductions 0 extents () -> (1, 4) {
    sparkle.yield %0 : f32
  } : !sparkle.tensor<1x4xf32, (d0, d1) -> (d0, d1)>
}

// -----

// What is the same for a group is read at its number; a weight stays as it is
// declared.
// CHECK-LABEL: sparkle.kernel @groups
// CHECK: %[[X:.*]] = sparkle.tensor input "x" extents () -> (8, 3, 7)
// CHECK: %[[W:.*]] = sparkle.tensor weight "w" extents () -> (8, 4, 3)
// CHECK: sparkle.define %{{.*}} ["k", "q", "c"] reductions 1 extents () -> (32, 7, 3) pattern <merge = ["g", "k"]>
// CHECK: sparkle.read %[[X]] (d0, d1, d2) -> (d0 floordiv 4, d2, d1)
// CHECK: sparkle.read %[[W]] (d0, d1, d2) -> (d0 floordiv 4, d0 mod 4, d2)
sparkle.kernel @groups sizes [] {
  %x = sparkle.tensor input "x" extents () -> (8, 3, 7) : !sparkle.tensor<8x3x7xf32, (d0, d1, d2) -> (d2, d0, d1)>
  %w = sparkle.tensor weight "w" extents () -> (8, 4, 3) : !sparkle.tensor<8x4x3xf32, (d0, d1, d2) -> (d0, d1, d2)>
  %y = sparkle.tensor output "y" extents () -> (8, 4, 7) : !sparkle.tensor<8x4x7xf32, (d0, d1, d2) -> (d2, d0, d1)>
  sparkle.define %y ["g", "k", "q", "c"] reductions 1 extents () -> (8, 4, 7, 3) pattern <merge = ["g", "k"]> {
    %0 = sparkle.sum {
      %1 = sparkle.read %x (d0, d1, d2, d3) -> (d0, d3, d2) : !sparkle.tensor<8x3x7xf32, (d0, d1, d2) -> (d2, d0, d1)> -> f32
      %2 = sparkle.read %w (d0, d1, d2, d3) -> (d0, d1, d3) : !sparkle.tensor<8x4x3xf32, (d0, d1, d2) -> (d0, d1, d2)> -> f32
      %3 = arith.mulf %1, %2 : f32
      sparkle.yield %3 : f32
    } : f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<8x4x7xf32, (d0, d1, d2) -> (d2, d0, d1)>
}

// -----

sparkle.kernel @apart sizes [] {
  %y = sparkle.tensor output "y" extents () -> (2, 3, 4) : !sparkle.tensor<2x3x4xf32, (d0, d1, d2) -> (d0, d1, d2)>
  %0 = arith.constant 1.0 : f32
  // expected-error @below {{expected neighbouring indices of the left side in 'merge', but got 'n' and 'q'}}
  sparkle.define %y ["n", "p", "q"] reductions 0 extents () -> (2, 3, 4) pattern <merge = ["n", "q"]> {
    sparkle.yield %0 : f32
  } : !sparkle.tensor<2x3x4xf32, (d0, d1, d2) -> (d0, d1, d2)>
}

// -----

sparkle.kernel @constant sizes [] {
  %a = sparkle.constant dense<1.0> : tensor<2x3xf32> as !sparkle.tensor<2x3xf32, (d0, d1) -> (d0, d1)>
  %y = sparkle.tensor output "y" extents () -> (2, 3) : !sparkle.tensor<2x3xf32, (d0, d1) -> (d0, d1)>
  // expected-error @below {{but got 'p' and 'q': a tensor of the compiler's varies along them}}
  sparkle.define %y ["p", "q"] reductions 0 extents () -> (2, 3) pattern <merge = ["p", "q"]> {
    %0 = sparkle.read %a (d0, d1) -> (d0, d1) : !sparkle.tensor<2x3xf32, (d0, d1) -> (d0, d1)> -> f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<2x3xf32, (d0, d1) -> (d0, d1)>
}
