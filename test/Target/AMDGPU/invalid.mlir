// RUN: sparkle-opt %s --sparkle-amdgpu-lower-tiled --split-input-file --verify-diagnostics

// expected-error @below {{expected a 'sparkle.target', but got none}}
module {
}

// -----

module attributes {sparkle.target = #sparkle.target<word = "amdgpu", lanes = 64, vectors = 32, fma_latency = 4, near_bytes = 16384, close_bytes = 0, copies = true, masked = true>} {
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
