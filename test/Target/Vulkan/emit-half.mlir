// RUN: sparkle-opt %s --target=vulkan --gpu=small --emit=spirv -o %t.txt
// RUN: FileCheck %s < %t.txt
// RUN: spirv-as --target-env vulkan1.1 %t.txt -o %t.spv
// RUN: spirv-val --target-env vulkan1.1 %t.spv

// Elements of 16 bits are f32 between load and store: the capability to store
// them is all that it takes. What is stored is rounded to the nearest.
// CHECK-NOT: OpCapability Float16
// CHECK: OpCapability StorageBuffer16BitAccess
// CHECK: OpExtension "SPV_KHR_16bit_storage"
// CHECK: OpDecorate %[[STORED:.*]] FPRoundingMode RTE
// CHECK-DAG: %[[F32:.*]] = OpTypeFloat 32
// CHECK-DAG: %[[F16:.*]] = OpTypeFloat 16
// CHECK-DAG: %[[F32X4:.*]] = OpTypeVector %[[F32]] 4
// CHECK-DAG: %[[F16X4:.*]] = OpTypeVector %[[F16]] 4
// CHECK-DAG: OpTypePointer Workgroup %[[F32X4]]
// CHECK: %[[HALF:.*]] = OpLoad %[[F16X4]]
// CHECK-NEXT: OpFConvert %[[F32X4]] %[[HALF]]
// CHECK: %[[STORED]] = OpFConvert %[[F16X4]]
// CHECK: OpStore %{{.*}} %[[STORED]]
module {
  sparkle.kernel @half sizes [] {
    %c0 = arith.constant 0 : index
    %c64 = arith.constant 64 : index
    %x = sparkle.tensor input "x" extents () -> (16, 64) : <16x64xf16, (d0, d1) -> (d0, d1)>
    %y = sparkle.tensor output "y" extents () -> (16) : <16xf16, (d0) -> (d0)>
    sparkle.workers ["m"] (%m) extents () -> (16) steps [16] {
      %0 = sparkle.init : <16xf32, 4>
      %1 = sparkle.loop near %k = %c0 to %c64 step 4 carry (%s = %0) : !sparkle.tile<16xf32, 4> {
        %b = sparkle.stage copy %x[%m, %k] layout (d0, d1) -> (d0, d1) overlap : <16x64xf16, (d0, d1) -> (d0, d1)> to <16x4xf32>
        sparkle.barrier
        %2 = sparkle.accumulate %s at [%m, %k] slice [4] (%b (d0, d1) -> (d0, d1) inside [0, 1] : !sparkle.box<16x4xf32>) {
        ^bb0(%e: f32):
          sparkle.yield %e : f32
        } : !sparkle.tile<16xf32, 4>
        sparkle.barrier
        sparkle.yield %2 : !sparkle.tile<16xf32, 4>
      }
      sparkle.store %1 to %y[%m] () {
      ^bb0(%sum: f32):
        sparkle.yield %sum : f32
      } : !sparkle.tile<16xf32, 4> to !sparkle.tensor<16xf16, (d0) -> (d0)>
    }
  }
}
