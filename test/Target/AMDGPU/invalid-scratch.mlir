// RUN: sparkle-opt %s --target=amdgpu --gpu=gfx1100 --emit=amdgcn --verify-diagnostics
// RUN: sparkle-opt %s --target=amdgpu --gpu=gfx1030 --emit=amdgcn --verify-diagnostics

// 512 sums fit into the registers of no lane.
#map = affine_map<(d0) -> (d0 + 4)>
module attributes {sparkle.target = #sparkle.target<word = "amdgpu", lanes = 128, vectors = 64, fma_latency = 4, near_bytes = 16384, close_bytes = 0, copies = true, masked = true>} {
  // expected-error-re @below {{expected no scratch memory, but got {{[0-9]+}} bytes for each lane of 'mm_0' - use smaller sizes in 'registers', or more 'lanes'}}
  sparkle.kernel @mm sizes [] {
    %c64 = arith.constant 64 : index
    %c0 = arith.constant 0 : index
    %a = sparkle.tensor input "a" extents () -> (64, 64) : <64x64xf32, (d0, d1) -> (d0, d1)>
    %b = sparkle.tensor weight "b" extents () -> (64, 64) : <64x64xf32, (d0, d1) -> (d0, d1)>
    %y = sparkle.tensor output "y" extents () -> (64, 64) : <64x64xf32, (d0, d1) -> (d0, d1)>
    %0 = sparkle.pack %b : <64x64xf32, (d0, d1) -> (d0, d1)> to <64x64xf32, (d0, d1) -> (d0 floordiv 8, d1 floordiv 4, d1 mod 4, d0 mod 8)>
    sparkle.workers ["i", "j"] (%arg0, %arg1) extents () -> (64, 64) steps [32, 16] {
      %1 = sparkle.init : <32x16xf32, 1x1>
      %2 = sparkle.loop near %arg2 = %c0 to %c64 step 4 carry (%arg3 = %1) : !sparkle.tile<32x16xf32, 1x1> {
        %3 = affine.apply #map(%arg2)
        %4 = sparkle.stage in_place %a[%arg0, %arg2] : <64x64xf32, (d0, d1) -> (d0, d1)> to <32x4xf32>
        %5 = sparkle.stage in_place %0[%arg1, %arg2] : <64x64xf32, (d0, d1) -> (d0 floordiv 8, d1 floordiv 4, d1 mod 4, d0 mod 8)> to <16x4xf32>
        %6 = sparkle.loop registers %arg4 = %arg2 to %3 step 1 carry (%arg5 = %arg3) : !sparkle.tile<32x16xf32, 1x1> {
          %7 = sparkle.accumulate %arg5 at [%arg0, %arg1, %arg4] slice [1] (%4 (d0, d1, d2) -> (d0, d2) inside [0, 1] : !sparkle.box<32x4xf32>, %5 (d0, d1, d2) -> (d1, d2) inside [0, 1] : !sparkle.box<16x4xf32>) {
          ^bb0(%arg6: f32, %arg7: f32):
            %8 = arith.mulf %arg6, %arg7 : f32
            sparkle.yield %8 : f32
          } : !sparkle.tile<32x16xf32, 1x1>
          sparkle.yield %7 : !sparkle.tile<32x16xf32, 1x1>
        }
        sparkle.yield %6 : !sparkle.tile<32x16xf32, 1x1>
      }
      sparkle.store %2 to %y[%arg0, %arg1] () {
      ^bb0(%arg2: f32):
        sparkle.yield %arg2 : f32
      } : !sparkle.tile<32x16xf32, 1x1> to !sparkle.tensor<64x64xf32, (d0, d1) -> (d0, d1)>
    }
  }
}
