// RUN: sparkle-opt %s --target=vulkan --gpu=small --emit=spirv --verify-diagnostics

// A divided sum is one more index of the grid.

// expected-error @below {{expected a grid of at most 16 indices, but got 17}}
sparkle.kernel @deep sizes [] {
  %a = sparkle.tensor input "a" extents () -> (4096) : !sparkle.tensor<4096xf32, (d0) -> (d0)>
  %b = sparkle.tensor input "b" extents () -> (8, 4096) : !sparkle.tensor<8x4096xf32, (d0, d1) -> (d0, d1)>
  %y = sparkle.tensor output "y" extents () -> (1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 8) : !sparkle.tensor<1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x8xf32, (d0, d1, d2, d3, d4, d5, d6, d7, d8, d9, d10, d11, d12, d13, d14, d15) -> (d0, d1, d2, d3, d4, d5, d6, d7, d8, d9, d10, d11, d12, d13, d14, d15)>
  sparkle.define %y ["i0", "i1", "i2", "i3", "i4", "i5", "i6", "i7", "i8", "i9", "i10", "i11", "i12", "i13", "i14", "i15", "k"] reductions 1 extents () -> (1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 8, 4096) pattern <workers = [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 8, 512]> {
    %0 = sparkle.sum {
      %1 = sparkle.read %a (d0, d1, d2, d3, d4, d5, d6, d7, d8, d9, d10, d11, d12, d13, d14, d15, d16) -> (d16) : !sparkle.tensor<4096xf32, (d0) -> (d0)> -> f32
      %2 = sparkle.read %b (d0, d1, d2, d3, d4, d5, d6, d7, d8, d9, d10, d11, d12, d13, d14, d15, d16) -> (d15, d16) : !sparkle.tensor<8x4096xf32, (d0, d1) -> (d0, d1)> -> f32
      %3 = arith.mulf %1, %2 : f32
      sparkle.yield %3 : f32
    } : f32
    sparkle.yield %0 : f32
  } : !sparkle.tensor<1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x8xf32, (d0, d1, d2, d3, d4, d5, d6, d7, d8, d9, d10, d11, d12, d13, d14, d15) -> (d0, d1, d2, d3, d4, d5, d6, d7, d8, d9, d10, d11, d12, d13, d14, d15)>
}
