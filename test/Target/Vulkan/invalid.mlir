// RUN: sparkle-opt %s --sparkle-vulkan-lower-tiled --split-input-file --verify-diagnostics

// expected-error @below {{expected a 'sparkle.target', but got none}}
module {
}

// -----

module attributes {sparkle.target = #sparkle.target<word = "vulkan", lanes = 64, vectors = 32, fma_latency = 4, near_bytes = 16384, close_bytes = 0, copies = true, masked = true>} {
  sparkle.kernel @algorithm sizes [] {
    %x = sparkle.tensor input "x" extents () -> (8) : <8xf32, (d0) -> (d0)>
    %y = sparkle.tensor output "y" extents () -> (8) : <8xf32, (d0) -> (d0)>
    // expected-error @below {{expected the tiled level of the dialect, but got 'sparkle.define'}}
    sparkle.define %y ["i"] reductions 0 extents () -> (8) {
      %0 = sparkle.read %x (d0) -> (d0) : !sparkle.tensor<8xf32, (d0) -> (d0)> -> f32
      sparkle.yield %0 : f32
    } : !sparkle.tensor<8xf32, (d0) -> (d0)>
  }
}

// -----

module attributes {sparkle.target = #sparkle.target<word = "vulkan", lanes = 64, vectors = 32, fma_latency = 4, near_bytes = 16384, close_bytes = 0, copies = true, masked = true>} {
  sparkle.kernel @lanes sizes [] {
    %y = sparkle.tensor output "y" extents () -> (16, 16) : <16x16xf32, (d0, d1) -> (d0, d1)>
    // expected-error @below {{expected at most 64 lanes, but got 128}}
    sparkle.workers ["i", "j"] (%i, %j) extents () -> (16, 16) steps [16, 16] {
      %0 = sparkle.init : <16x16xf32, 8x16>
      sparkle.store %0 to %y[%i, %j] () {
      ^bb0(%sum: f32):
        sparkle.yield %sum : f32
      } : !sparkle.tile<16x16xf32, 8x16> to !sparkle.tensor<16x16xf32, (d0, d1) -> (d0, d1)>
    }
  }
}

// -----

module attributes {sparkle.target = #sparkle.target<word = "vulkan", lanes = 64, vectors = 32, fma_latency = 4, near_bytes = 16384, close_bytes = 0, copies = true, masked = true>} {
  sparkle.kernel @elements sizes [] {
    // expected-error @below {{expected elements of type f32 or f16, but got '!sparkle.tensor<8xf64, (d0) -> (d0)>'}}
    %y = sparkle.tensor output "y" extents () -> (8) : <8xf64, (d0) -> (d0)>
    sparkle.workers ["i"] (%i) extents () -> (8) steps [8] {
    }
  }
}

// -----

module attributes {sparkle.target = #sparkle.target<word = "vulkan", lanes = 64, vectors = 32, fma_latency = 4, near_bytes = 16384, close_bytes = 0, copies = true, masked = true>} {
  sparkle.kernel @sums sizes [] {
    %y = sparkle.tensor output "y" extents () -> (8) : <8xf16, (d0) -> (d0)>
    sparkle.workers ["i"] (%i) extents () -> (8) steps [8] {
      // expected-error @below {{expected elements of type f32, but got '!sparkle.tile<8xf16, 8>'}}
      %0 = sparkle.init : <8xf16, 8>
    }
  }
}

// -----

module attributes {sparkle.target = #sparkle.target<word = "vulkan", lanes = 64, vectors = 32, fma_latency = 4, near_bytes = 16384, close_bytes = 0, copies = true, masked = true>} {
  sparkle.kernel @product sizes ["N", "M"] {
    // expected-error @below {{expected a pure affine map, but got affine_map<()[s0, s1] -> (s0 * s1)>}}
    %y = sparkle.tensor output "y" extents ()[s0, s1] -> (s0 * s1) : <?xf32, (d0) -> (d0)>
    sparkle.workers ["i"] (%i) extents ()[s0, s1] -> (8) steps [8] {
    }
  }
}

// -----

module attributes {sparkle.target = #sparkle.target<word = "vulkan", lanes = 64, vectors = 32, fma_latency = 4, near_bytes = 16384, close_bytes = 0, copies = true, masked = true>} {
  // expected-error @below {{expected at most 32 run-time sizes, but got 33}}
  sparkle.kernel @sizes sizes ["A0", "A1", "A2", "A3", "A4", "A5", "A6", "A7", "A8", "A9", "B0", "B1", "B2", "B3", "B4", "B5", "B6", "B7", "B8", "B9", "C0", "C1", "C2", "C3", "C4", "C5", "C6", "C7", "C8", "C9", "D0", "D1", "D2"] {
    %y = sparkle.tensor output "y" extents ()[s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11, s12, s13, s14, s15, s16, s17, s18, s19, s20, s21, s22, s23, s24, s25, s26, s27, s28, s29, s30, s31, s32] -> (8) : <8xf32, (d0) -> (d0)>
    sparkle.workers ["i"] (%i) extents ()[s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11, s12, s13, s14, s15, s16, s17, s18, s19, s20, s21, s22, s23, s24, s25, s26, s27, s28, s29, s30, s31, s32] -> (8) steps [8] {
    }
  }
}

// -----

module attributes {sparkle.target = #sparkle.target<word = "vulkan", lanes = 64, vectors = 32, fma_latency = 4, near_bytes = 16384, close_bytes = 0, copies = true, masked = true>} {
  sparkle.kernel @arithmetic sizes [] {
    %y = sparkle.tensor output "y" extents () -> (8) : <8xf32, (d0) -> (d0)>
    sparkle.workers ["i"] (%i) extents () -> (8) steps [8] {
      %0 = sparkle.init : <8xf32, 8>
      sparkle.store %0 to %y[%i] () {
      ^bb0(%sum: f32):
        // expected-error @below {{expected arithmetic that this target has, but got 'math.atan'}}
        %1 = math.atan %sum : f32
        sparkle.yield %1 : f32
      } : !sparkle.tile<8xf32, 8> to !sparkle.tensor<8xf32, (d0) -> (d0)>
    }
  }
}

// -----

module attributes {sparkle.target = #sparkle.target<word = "vulkan", lanes = 64, vectors = 32, fma_latency = 4, near_bytes = 16384, close_bytes = 0, copies = true, masked = true>} {
  sparkle.kernel @unsigned sizes [] {
    %c1 = arith.constant 1 : index
    %y = sparkle.tensor output "y" extents () -> (8) : <8xf32, (d0) -> (d0)>
    sparkle.workers ["i"] (%i) extents () -> (8) steps [4] {
      // expected-error @below {{expected a comparison of signed indices, but got 'ult'}}
      %0 = arith.cmpi ult, %i, %c1 : index
    }
  }
}

// -----

module attributes {sparkle.target = #sparkle.target<word = "vulkan", lanes = 64, vectors = 32, fma_latency = 4, near_bytes = 16384, close_bytes = 0, copies = true, masked = true>} {
  sparkle.kernel @packed sizes [] {
    %c0 = arith.constant 0 : index
    %w = sparkle.tensor weight "w" extents () -> (8) : <8xf32, (d0) -> (d0)>
    %y = sparkle.tensor output "y" extents () -> (8) : <8xf32, (d0) -> (d0)>
    %p = sparkle.pack %w : <8xf32, (d0) -> (d0)> to <8xf32, (d0) -> (d0 floordiv 4, d0 mod 4)>
    sparkle.workers ["i"] (%i) extents () -> (8) steps [8] {
      // expected-error @below {{expected a tensor that the kernel takes, but got one that is packed}}
      %b = sparkle.stage in_place %w[%c0] : <8xf32, (d0) -> (d0)> to <8xf32>
    }
  }
}

// -----

module attributes {sparkle.target = #sparkle.target<word = "vulkan", lanes = 64, vectors = 32, fma_latency = 4, near_bytes = 16384, close_bytes = 0, copies = true, masked = true>} {
  sparkle.kernel @terms sizes [] {
    %c0 = arith.constant 0 : index
    %x = sparkle.tensor input "x" extents () -> (4097) : <4097xf32, (d0) -> (d0)>
    %y = sparkle.tensor output "y" extents () -> (1) : <1xf32, (d0) -> (d0)>
    sparkle.workers ["i"] (%i) extents () -> (1) steps [1] {
      %b = sparkle.stage in_place %x[%c0] : <4097xf32, (d0) -> (d0)> to <4097xf32>
      %0 = sparkle.init : <1xf32, 1>
      // expected-error @below {{expected at most 4096 terms of one invocation in an accumulate, but got 4097 - use smaller sizes in 'unroll', or more 'lanes'}}
      %1 = sparkle.accumulate %0 at [%i, %c0] slice [4097] (%b (d0, d1) -> (d1) inside [0] : !sparkle.box<4097xf32>) {
      ^bb0(%e: f32):
        sparkle.yield %e : f32
      } : !sparkle.tile<1xf32, 1>
      sparkle.store %1 to %y[%i] () {
      ^bb0(%sum: f32):
        sparkle.yield %sum : f32
      } : !sparkle.tile<1xf32, 1> to !sparkle.tensor<1xf32, (d0) -> (d0)>
    }
  }
}

// -----

module attributes {sparkle.target = #sparkle.target<word = "vulkan", lanes = 64, vectors = 32, fma_latency = 4, near_bytes = 16384, close_bytes = 0, copies = true, masked = true>} {
  sparkle.kernel @near sizes [] {
    %c0 = arith.constant 0 : index
    %x = sparkle.tensor input "x" extents () -> (4097) : <4097xf32, (d0) -> (d0)>
    %y = sparkle.tensor output "y" extents () -> (1) : <1xf32, (d0) -> (d0)>
    // expected-error @below {{expected staged boxes of at most 16384 bytes of workgroup memory, but got 16400 - use smaller 'workers' or 'near' sizes}}
    sparkle.workers ["i"] (%i) extents () -> (1) steps [1] {
      %b = sparkle.stage copy %x[%c0] layout (d0) -> (d0) : <4097xf32, (d0) -> (d0)> to <4097xf32>
      sparkle.barrier
    }
  }
}

// -----

// Lanes along a dimension that a constant varies along.
module attributes {sparkle.target = #sparkle.target<word = "vulkan", lanes = 64, vectors = 32, fma_latency = 4, near_bytes = 16384, close_bytes = 0, copies = true, masked = true>} {
  sparkle.kernel @lanes_of_constant sizes [] {
    %c0 = arith.constant 0 : index
    %a = sparkle.constant dense<[[1.0, 1.0, 1.0], [0.0, 1.0, -1.0]]> : tensor<2x3xf32> as !sparkle.tensor<2x3xf32, (d0, d1) -> (d0, d1)>
    %x = sparkle.tensor input "x" extents () -> (3) : <3xf32, (d0) -> (d0)>
    %y = sparkle.tensor output "y" extents () -> (2) : <2xf32, (d0) -> (d0)>
    sparkle.workers ["i"] (%i) extents () -> (2) steps [2] {
      %ab = sparkle.stage in_place %a[%c0, %c0] : <2x3xf32, (d0, d1) -> (d0, d1)> to <2x3xf32>
      %xb = sparkle.stage in_place %x[%c0] : <3xf32, (d0) -> (d0)> to <3xf32>
      %0 = sparkle.init : <2xf32, 2>
      // expected-error @below {{expected a constant at coordinates that are known when compiling, but got affine_map<(d0, d1) -> (d0, d1)> at those of a lane, or of a loop - use fewer 'lanes', or larger sizes in 'workers' or 'unroll'}}
      %1 = sparkle.accumulate %0 at [%c0, %c0] slice [3] (%ab (d0, d1) -> (d0, d1) inside [0, 1] : !sparkle.box<2x3xf32>, %xb (d0, d1) -> (d1) inside [0] : !sparkle.box<3xf32>) {
      ^bb0(%e: f32, %f: f32):
        %2 = arith.mulf %e, %f : f32
        sparkle.yield %2 : f32
      } : !sparkle.tile<2xf32, 2>
      sparkle.store %1 to %y[%c0] () {
      ^bb0(%sum: f32):
        sparkle.yield %sum : f32
      } : !sparkle.tile<2xf32, 2> to !sparkle.tensor<2xf32, (d0) -> (d0)>
    }
  }
}

// -----

module attributes {sparkle.target = #sparkle.target<word = "vulkan", lanes = 64, vectors = 32, fma_latency = 4, near_bytes = 16384, close_bytes = 0, copies = true, masked = true>} {
  sparkle.kernel @copy_of_constant sizes [] {
    %c0 = arith.constant 0 : index
    %a = sparkle.constant dense<[[1.0, 1.0, 1.0], [0.0, 1.0, -1.0]]> : tensor<2x3xf32> as !sparkle.tensor<2x3xf32, (d0, d1) -> (d0, d1)>
    %y = sparkle.tensor output "y" extents () -> (2) : <2xf32, (d0) -> (d0)>
    sparkle.workers ["i"] (%i) extents () -> (2) steps [2] {
      // expected-error @below {{expected a constant in place, as a factor in a sum of products}}
      %ab = sparkle.stage copy %a[%c0, %c0] layout (d0, d1) -> (d0, d1) : <2x3xf32, (d0, d1) -> (d0, d1)> to <2x3xf32>
      sparkle.barrier
    }
  }
}

// -----

module attributes {sparkle.target = #sparkle.target<word = "vulkan", lanes = 64, vectors = 32, fma_latency = 4, near_bytes = 16384, close_bytes = 0, copies = true, masked = true>} {
  sparkle.kernel @sum_with_constant sizes [] {
    %c0 = arith.constant 0 : index
    %a = sparkle.constant dense<[[1.0, 1.0, 1.0], [0.0, 1.0, -1.0]]> : tensor<2x3xf32> as !sparkle.tensor<2x3xf32, (d0, d1) -> (d0, d1)>
    %y = sparkle.tensor output "y" extents () -> (2) : <2xf32, (d0) -> (d0)>
    sparkle.workers ["i"] (%i) extents () -> (2) steps [2] {
      // expected-error @below {{expected a constant in place, as a factor in a sum of products}}
      %ab = sparkle.stage in_place %a[%c0, %c0] : <2x3xf32, (d0, d1) -> (d0, d1)> to <2x3xf32>
      %0 = sparkle.init : <2xf32, 1>
      %1 = sparkle.accumulate %0 at [%c0, %c0] slice [3] (%ab (d0, d1) -> (d0, d1) inside [0, 1] : !sparkle.box<2x3xf32>) {
      ^bb0(%e: f32):
        %2 = arith.addf %e, %e : f32
        sparkle.yield %2 : f32
      } : !sparkle.tile<2xf32, 1>
      sparkle.store %1 to %y[%c0] () {
      ^bb0(%sum: f32):
        sparkle.yield %sum : f32
      } : !sparkle.tile<2xf32, 1> to !sparkle.tensor<2xf32, (d0) -> (d0)>
    }
  }
}

// -----

// The sum over 4097 numbers counts once for each of them.
module attributes {sparkle.target = #sparkle.target<word = "vulkan", lanes = 64, vectors = 32, fma_latency = 4, near_bytes = 16384, close_bytes = 0, copies = true, masked = true>} {
  sparkle.kernel @terms_of_constant sizes [] {
    %c0 = arith.constant 0 : index
    %a = sparkle.constant dense<1.0> : tensor<4097xf32> as !sparkle.tensor<4097xf32, (d0) -> (d0)>
    %x = sparkle.tensor input "x" extents () -> (4097) : <4097xf32, (d0) -> (d0)>
    %y = sparkle.tensor output "y" extents () -> (1) : <1xf32, (d0) -> (d0)>
    sparkle.workers ["i"] (%i) extents () -> (1) steps [1] {
      %ab = sparkle.stage in_place %a[%c0] : <4097xf32, (d0) -> (d0)> to <4097xf32>
      %xb = sparkle.stage in_place %x[%c0] : <4097xf32, (d0) -> (d0)> to <4097xf32>
      %0 = sparkle.init : <1xf32, 1>
      // expected-error @below {{expected at most 4096 terms of one invocation in an accumulate, but got 4097 - use smaller sizes in 'unroll', or more 'lanes'}}
      %1 = sparkle.accumulate %0 at [%i, %c0] slice [4097] (%ab (d0, d1) -> (d1) inside [0] : !sparkle.box<4097xf32>, %xb (d0, d1) -> (d1) inside [0] : !sparkle.box<4097xf32>) {
      ^bb0(%e: f32, %f: f32):
        %2 = arith.mulf %e, %f : f32
        sparkle.yield %2 : f32
      } : !sparkle.tile<1xf32, 1>
      sparkle.store %1 to %y[%i] () {
      ^bb0(%sum: f32):
        sparkle.yield %sum : f32
      } : !sparkle.tile<1xf32, 1> to !sparkle.tensor<1xf32, (d0) -> (d0)>
    }
  }
}

// -----

module attributes {sparkle.target = #sparkle.target<word = "vulkan", lanes = 64, vectors = 32, fma_latency = 4, near_bytes = 16384, close_bytes = 0, copies = true, masked = true>} {
  sparkle.kernel @transform sizes [] {
    %c0 = arith.constant 0 : index
    %w = sparkle.tensor weight "w" extents () -> (3) : <3xf32, (d0) -> (d0)>
    %v = sparkle.transform %w along [0] by dense<1.0> : tensor<4x3xf64> : <3xf32, (d0) -> (d0)> to <4xf32, (d0) -> (d0)>
    %y = sparkle.tensor output "y" extents () -> (4) : <4xf32, (d0) -> (d0)>
    sparkle.workers ["i"] (%i) extents () -> (4) steps [4] {
      // expected-error @below {{expected a transform that is packed, but got one that is not}}
      %b = sparkle.stage in_place %v[%c0] : <4xf32, (d0) -> (d0)> to <4xf32>
    }
  }
}
