// RUN: sparkle-opt %s --sparkle-cpu-lower-tiled --split-input-file --verify-diagnostics

// expected-error @below {{expected a 'sparkle.target', but got none}}
module {
}

// -----

module attributes {sparkle.target = #sparkle.target<word = "cpu", lanes = 16, vectors = 32, fma_latency = 8, near_bytes = 1048576, close_bytes = 32768, copies = false>} {
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

module attributes {sparkle.target = #sparkle.target<word = "cpu", lanes = 16, vectors = 32, fma_latency = 8, near_bytes = 1048576, close_bytes = 32768, copies = false>} {
  sparkle.kernel @grid sizes [] {
    %y = sparkle.tensor output "y" extents () -> (8, 8) : <8x8xf32, (d0, d1) -> (d0, d1)>
    sparkle.workers ["i", "j"] (%i, %j) extents () -> (8, 8) steps [8, 8] {
      // expected-error @below {{expected lanes along one dimension, but got '!sparkle.tile<8x8xf32, 4x4>'}}
      %0 = sparkle.init : <8x8xf32, 4x4>
      sparkle.store %0 to %y[%i, %j] () {
      ^bb0(%sum: f32):
        sparkle.yield %sum : f32
      } : !sparkle.tile<8x8xf32, 4x4> to !sparkle.tensor<8x8xf32, (d0, d1) -> (d0, d1)>
    }
  }
}

// -----

module attributes {sparkle.target = #sparkle.target<word = "cpu", lanes = 16, vectors = 32, fma_latency = 8, near_bytes = 1048576, close_bytes = 32768, copies = false>} {
  sparkle.kernel @double sizes [] {
    // expected-error @below {{expected elements of type f32 or f16, but got '!sparkle.tensor<8xf64, (d0) -> (d0)>'}}
    %y = sparkle.tensor output "y" extents () -> (8) : <8xf64, (d0) -> (d0)>
    sparkle.workers ["i"] (%i) extents () -> (8) steps [8] {
    }
  }
}

// -----

module attributes {sparkle.target = #sparkle.target<word = "cpu", lanes = 16, vectors = 32, fma_latency = 8, near_bytes = 1048576, close_bytes = 32768, copies = false>} {
  sparkle.kernel @half_tile sizes [] {
    %y = sparkle.tensor output "y" extents () -> (8) : <8xf16, (d0) -> (d0)>
    sparkle.workers ["i"] (%i) extents () -> (8) steps [8] {
      // expected-error @below {{expected elements of type f32, but got '!sparkle.tile<8xf16, 8>'}}
      %0 = sparkle.init : <8xf16, 8>
    }
  }
}

// -----

module attributes {sparkle.target = #sparkle.target<word = "cpu", lanes = 16, vectors = 32, fma_latency = 8, near_bytes = 1048576, close_bytes = 32768, copies = false>} {
  sparkle.kernel @product sizes ["N", "M"] {
    // expected-error @below {{expected a pure affine map or products of sizes, but got affine_map<()[s0, s1] -> (s0 floordiv s1)>}}
    %y = sparkle.tensor output "y" extents ()[s0, s1] -> (s0 floordiv s1) : <?xf32, (d0) -> (d0)>
    sparkle.workers ["i"] (%i) extents ()[s0, s1] -> (8) steps [8] {
    }
  }
}

// -----

module attributes {sparkle.target = #sparkle.target<word = "cpu", lanes = 16, vectors = 32, fma_latency = 8, near_bytes = 1048576, close_bytes = 32768, copies = false>} {
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

module attributes {sparkle.target = #sparkle.target<word = "cpu", lanes = 16, vectors = 32, fma_latency = 8, near_bytes = 1048576, close_bytes = 32768, copies = false>} {
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

module attributes {sparkle.target = #sparkle.target<word = "cpu", lanes = 16, vectors = 32, fma_latency = 8, near_bytes = 1048576, close_bytes = 32768, copies = false>} {
  sparkle.kernel @large sizes [] {
    %c0 = arith.constant 0 : index
    %x = sparkle.tensor input "x" extents () -> (4097) : <4097xf32, (d0) -> (d0)>
    %y = sparkle.tensor output "y" extents () -> (1) : <1xf32, (d0) -> (d0)>
    sparkle.workers ["i"] (%i) extents () -> (1) steps [1] {
      %b = sparkle.stage in_place %x[%c0] : <4097xf32, (d0) -> (d0)> to <4097xf32>
      %0 = sparkle.init : <1xf32, 1>
      // expected-error @below {{expected at most 4096 vectors of terms in an accumulate, but got 4097 - use smaller sizes in 'unroll'}}
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
