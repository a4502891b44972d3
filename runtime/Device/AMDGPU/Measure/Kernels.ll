; SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
;
; What Measure.cpp runs: multiply-adds in registers, and a copy of vectors. Code.h
; is made of it by `regenerate`.

target triple = "amdgcn-amd-amdhsa"

declare i32 @llvm.amdgcn.workitem.id.x()
declare i32 @llvm.amdgcn.workgroup.id.x()
declare i32 @llvm.amdgcn.workgroup.id.y()
declare float @llvm.fma.f32(float, float, float)

; The number of this invocation: groups are numbered x + 65535 y.
define internal i32 @number() alwaysinline {
  %x = call i32 @llvm.amdgcn.workgroup.id.x()
  %y = call i32 @llvm.amdgcn.workgroup.id.y()
  %row = mul i32 %y, 65535
  %group = add i32 %x, %row
  %first = mul i32 %group, 128
  %lane = call i32 @llvm.amdgcn.workitem.id.x()
  %all = add i32 %first, %lane
  ret i32 %all
}

; One element of 16 bytes for each invocation.
define amdgpu_kernel void @bandwidth(ptr addrspace(1) noalias %from,
                                     ptr addrspace(1) noalias %to, i32 %count,
                                     i32 %groups) #0 {
  %i = call i32 @number()
  %inside = icmp ult i32 %i, %count
  br i1 %inside, label %copy, label %end
copy:
  %offset = zext i32 %i to i64
  %source = getelementptr <4 x float>, ptr addrspace(1) %from, i64 %offset
  %target = getelementptr <4 x float>, ptr addrspace(1) %to, i64 %offset
  %value = load <4 x float>, ptr addrspace(1) %source, align 16
  store <4 x float> %value, ptr addrspace(1) %target, align 16
  br label %end
end:
  ret void
}

; `count` rounds of 16 chains by 8 multiply-adds.
define amdgpu_kernel void @peak(ptr addrspace(1) noalias %out, i32 %count,
                                i32 %groups) #0 {
begin:
  %i = call i32 @number()
  %seed = uitofp i32 %i to float
  ; Two pairs in registers of their own, so that two neighbours may issue at
  ; once; never so large that the sums overflow.
  %a0 = fmul float %seed, 0x3E10000000000000
  %b0 = fmul float %seed, 0x3DF0000000000000
  %a1 = fmul float %seed, 0x3E00000000000000
  %b1 = fmul float %seed, 0x3DE0000000000000
  br label %loop
loop:
  %round = phi i32 [ 0, %begin ], [ %next, %loop ]
  %s0.0 = phi float [ 0.0, %begin ], [ %s0.8, %loop ]
  %s1.0 = phi float [ 1.0, %begin ], [ %s1.8, %loop ]
  %s2.0 = phi float [ 2.0, %begin ], [ %s2.8, %loop ]
  %s3.0 = phi float [ 3.0, %begin ], [ %s3.8, %loop ]
  %s4.0 = phi float [ 4.0, %begin ], [ %s4.8, %loop ]
  %s5.0 = phi float [ 5.0, %begin ], [ %s5.8, %loop ]
  %s6.0 = phi float [ 6.0, %begin ], [ %s6.8, %loop ]
  %s7.0 = phi float [ 7.0, %begin ], [ %s7.8, %loop ]
  %s8.0 = phi float [ 8.0, %begin ], [ %s8.8, %loop ]
  %s9.0 = phi float [ 9.0, %begin ], [ %s9.8, %loop ]
  %s10.0 = phi float [ 10.0, %begin ], [ %s10.8, %loop ]
  %s11.0 = phi float [ 11.0, %begin ], [ %s11.8, %loop ]
  %s12.0 = phi float [ 12.0, %begin ], [ %s12.8, %loop ]
  %s13.0 = phi float [ 13.0, %begin ], [ %s13.8, %loop ]
  %s14.0 = phi float [ 14.0, %begin ], [ %s14.8, %loop ]
  %s15.0 = phi float [ 15.0, %begin ], [ %s15.8, %loop ]
  %s0.1 = call float @llvm.fma.f32(float %a0, float %b0, float %s0.0)
  %s1.1 = call float @llvm.fma.f32(float %a1, float %b1, float %s1.0)
  %s2.1 = call float @llvm.fma.f32(float %a0, float %b0, float %s2.0)
  %s3.1 = call float @llvm.fma.f32(float %a1, float %b1, float %s3.0)
  %s4.1 = call float @llvm.fma.f32(float %a0, float %b0, float %s4.0)
  %s5.1 = call float @llvm.fma.f32(float %a1, float %b1, float %s5.0)
  %s6.1 = call float @llvm.fma.f32(float %a0, float %b0, float %s6.0)
  %s7.1 = call float @llvm.fma.f32(float %a1, float %b1, float %s7.0)
  %s8.1 = call float @llvm.fma.f32(float %a0, float %b0, float %s8.0)
  %s9.1 = call float @llvm.fma.f32(float %a1, float %b1, float %s9.0)
  %s10.1 = call float @llvm.fma.f32(float %a0, float %b0, float %s10.0)
  %s11.1 = call float @llvm.fma.f32(float %a1, float %b1, float %s11.0)
  %s12.1 = call float @llvm.fma.f32(float %a0, float %b0, float %s12.0)
  %s13.1 = call float @llvm.fma.f32(float %a1, float %b1, float %s13.0)
  %s14.1 = call float @llvm.fma.f32(float %a0, float %b0, float %s14.0)
  %s15.1 = call float @llvm.fma.f32(float %a1, float %b1, float %s15.0)
  %s0.2 = call float @llvm.fma.f32(float %a0, float %b0, float %s0.1)
  %s1.2 = call float @llvm.fma.f32(float %a1, float %b1, float %s1.1)
  %s2.2 = call float @llvm.fma.f32(float %a0, float %b0, float %s2.1)
  %s3.2 = call float @llvm.fma.f32(float %a1, float %b1, float %s3.1)
  %s4.2 = call float @llvm.fma.f32(float %a0, float %b0, float %s4.1)
  %s5.2 = call float @llvm.fma.f32(float %a1, float %b1, float %s5.1)
  %s6.2 = call float @llvm.fma.f32(float %a0, float %b0, float %s6.1)
  %s7.2 = call float @llvm.fma.f32(float %a1, float %b1, float %s7.1)
  %s8.2 = call float @llvm.fma.f32(float %a0, float %b0, float %s8.1)
  %s9.2 = call float @llvm.fma.f32(float %a1, float %b1, float %s9.1)
  %s10.2 = call float @llvm.fma.f32(float %a0, float %b0, float %s10.1)
  %s11.2 = call float @llvm.fma.f32(float %a1, float %b1, float %s11.1)
  %s12.2 = call float @llvm.fma.f32(float %a0, float %b0, float %s12.1)
  %s13.2 = call float @llvm.fma.f32(float %a1, float %b1, float %s13.1)
  %s14.2 = call float @llvm.fma.f32(float %a0, float %b0, float %s14.1)
  %s15.2 = call float @llvm.fma.f32(float %a1, float %b1, float %s15.1)
  %s0.3 = call float @llvm.fma.f32(float %a0, float %b0, float %s0.2)
  %s1.3 = call float @llvm.fma.f32(float %a1, float %b1, float %s1.2)
  %s2.3 = call float @llvm.fma.f32(float %a0, float %b0, float %s2.2)
  %s3.3 = call float @llvm.fma.f32(float %a1, float %b1, float %s3.2)
  %s4.3 = call float @llvm.fma.f32(float %a0, float %b0, float %s4.2)
  %s5.3 = call float @llvm.fma.f32(float %a1, float %b1, float %s5.2)
  %s6.3 = call float @llvm.fma.f32(float %a0, float %b0, float %s6.2)
  %s7.3 = call float @llvm.fma.f32(float %a1, float %b1, float %s7.2)
  %s8.3 = call float @llvm.fma.f32(float %a0, float %b0, float %s8.2)
  %s9.3 = call float @llvm.fma.f32(float %a1, float %b1, float %s9.2)
  %s10.3 = call float @llvm.fma.f32(float %a0, float %b0, float %s10.2)
  %s11.3 = call float @llvm.fma.f32(float %a1, float %b1, float %s11.2)
  %s12.3 = call float @llvm.fma.f32(float %a0, float %b0, float %s12.2)
  %s13.3 = call float @llvm.fma.f32(float %a1, float %b1, float %s13.2)
  %s14.3 = call float @llvm.fma.f32(float %a0, float %b0, float %s14.2)
  %s15.3 = call float @llvm.fma.f32(float %a1, float %b1, float %s15.2)
  %s0.4 = call float @llvm.fma.f32(float %a0, float %b0, float %s0.3)
  %s1.4 = call float @llvm.fma.f32(float %a1, float %b1, float %s1.3)
  %s2.4 = call float @llvm.fma.f32(float %a0, float %b0, float %s2.3)
  %s3.4 = call float @llvm.fma.f32(float %a1, float %b1, float %s3.3)
  %s4.4 = call float @llvm.fma.f32(float %a0, float %b0, float %s4.3)
  %s5.4 = call float @llvm.fma.f32(float %a1, float %b1, float %s5.3)
  %s6.4 = call float @llvm.fma.f32(float %a0, float %b0, float %s6.3)
  %s7.4 = call float @llvm.fma.f32(float %a1, float %b1, float %s7.3)
  %s8.4 = call float @llvm.fma.f32(float %a0, float %b0, float %s8.3)
  %s9.4 = call float @llvm.fma.f32(float %a1, float %b1, float %s9.3)
  %s10.4 = call float @llvm.fma.f32(float %a0, float %b0, float %s10.3)
  %s11.4 = call float @llvm.fma.f32(float %a1, float %b1, float %s11.3)
  %s12.4 = call float @llvm.fma.f32(float %a0, float %b0, float %s12.3)
  %s13.4 = call float @llvm.fma.f32(float %a1, float %b1, float %s13.3)
  %s14.4 = call float @llvm.fma.f32(float %a0, float %b0, float %s14.3)
  %s15.4 = call float @llvm.fma.f32(float %a1, float %b1, float %s15.3)
  %s0.5 = call float @llvm.fma.f32(float %a0, float %b0, float %s0.4)
  %s1.5 = call float @llvm.fma.f32(float %a1, float %b1, float %s1.4)
  %s2.5 = call float @llvm.fma.f32(float %a0, float %b0, float %s2.4)
  %s3.5 = call float @llvm.fma.f32(float %a1, float %b1, float %s3.4)
  %s4.5 = call float @llvm.fma.f32(float %a0, float %b0, float %s4.4)
  %s5.5 = call float @llvm.fma.f32(float %a1, float %b1, float %s5.4)
  %s6.5 = call float @llvm.fma.f32(float %a0, float %b0, float %s6.4)
  %s7.5 = call float @llvm.fma.f32(float %a1, float %b1, float %s7.4)
  %s8.5 = call float @llvm.fma.f32(float %a0, float %b0, float %s8.4)
  %s9.5 = call float @llvm.fma.f32(float %a1, float %b1, float %s9.4)
  %s10.5 = call float @llvm.fma.f32(float %a0, float %b0, float %s10.4)
  %s11.5 = call float @llvm.fma.f32(float %a1, float %b1, float %s11.4)
  %s12.5 = call float @llvm.fma.f32(float %a0, float %b0, float %s12.4)
  %s13.5 = call float @llvm.fma.f32(float %a1, float %b1, float %s13.4)
  %s14.5 = call float @llvm.fma.f32(float %a0, float %b0, float %s14.4)
  %s15.5 = call float @llvm.fma.f32(float %a1, float %b1, float %s15.4)
  %s0.6 = call float @llvm.fma.f32(float %a0, float %b0, float %s0.5)
  %s1.6 = call float @llvm.fma.f32(float %a1, float %b1, float %s1.5)
  %s2.6 = call float @llvm.fma.f32(float %a0, float %b0, float %s2.5)
  %s3.6 = call float @llvm.fma.f32(float %a1, float %b1, float %s3.5)
  %s4.6 = call float @llvm.fma.f32(float %a0, float %b0, float %s4.5)
  %s5.6 = call float @llvm.fma.f32(float %a1, float %b1, float %s5.5)
  %s6.6 = call float @llvm.fma.f32(float %a0, float %b0, float %s6.5)
  %s7.6 = call float @llvm.fma.f32(float %a1, float %b1, float %s7.5)
  %s8.6 = call float @llvm.fma.f32(float %a0, float %b0, float %s8.5)
  %s9.6 = call float @llvm.fma.f32(float %a1, float %b1, float %s9.5)
  %s10.6 = call float @llvm.fma.f32(float %a0, float %b0, float %s10.5)
  %s11.6 = call float @llvm.fma.f32(float %a1, float %b1, float %s11.5)
  %s12.6 = call float @llvm.fma.f32(float %a0, float %b0, float %s12.5)
  %s13.6 = call float @llvm.fma.f32(float %a1, float %b1, float %s13.5)
  %s14.6 = call float @llvm.fma.f32(float %a0, float %b0, float %s14.5)
  %s15.6 = call float @llvm.fma.f32(float %a1, float %b1, float %s15.5)
  %s0.7 = call float @llvm.fma.f32(float %a0, float %b0, float %s0.6)
  %s1.7 = call float @llvm.fma.f32(float %a1, float %b1, float %s1.6)
  %s2.7 = call float @llvm.fma.f32(float %a0, float %b0, float %s2.6)
  %s3.7 = call float @llvm.fma.f32(float %a1, float %b1, float %s3.6)
  %s4.7 = call float @llvm.fma.f32(float %a0, float %b0, float %s4.6)
  %s5.7 = call float @llvm.fma.f32(float %a1, float %b1, float %s5.6)
  %s6.7 = call float @llvm.fma.f32(float %a0, float %b0, float %s6.6)
  %s7.7 = call float @llvm.fma.f32(float %a1, float %b1, float %s7.6)
  %s8.7 = call float @llvm.fma.f32(float %a0, float %b0, float %s8.6)
  %s9.7 = call float @llvm.fma.f32(float %a1, float %b1, float %s9.6)
  %s10.7 = call float @llvm.fma.f32(float %a0, float %b0, float %s10.6)
  %s11.7 = call float @llvm.fma.f32(float %a1, float %b1, float %s11.6)
  %s12.7 = call float @llvm.fma.f32(float %a0, float %b0, float %s12.6)
  %s13.7 = call float @llvm.fma.f32(float %a1, float %b1, float %s13.6)
  %s14.7 = call float @llvm.fma.f32(float %a0, float %b0, float %s14.6)
  %s15.7 = call float @llvm.fma.f32(float %a1, float %b1, float %s15.6)
  %s0.8 = call float @llvm.fma.f32(float %a0, float %b0, float %s0.7)
  %s1.8 = call float @llvm.fma.f32(float %a1, float %b1, float %s1.7)
  %s2.8 = call float @llvm.fma.f32(float %a0, float %b0, float %s2.7)
  %s3.8 = call float @llvm.fma.f32(float %a1, float %b1, float %s3.7)
  %s4.8 = call float @llvm.fma.f32(float %a0, float %b0, float %s4.7)
  %s5.8 = call float @llvm.fma.f32(float %a1, float %b1, float %s5.7)
  %s6.8 = call float @llvm.fma.f32(float %a0, float %b0, float %s6.7)
  %s7.8 = call float @llvm.fma.f32(float %a1, float %b1, float %s7.7)
  %s8.8 = call float @llvm.fma.f32(float %a0, float %b0, float %s8.7)
  %s9.8 = call float @llvm.fma.f32(float %a1, float %b1, float %s9.7)
  %s10.8 = call float @llvm.fma.f32(float %a0, float %b0, float %s10.7)
  %s11.8 = call float @llvm.fma.f32(float %a1, float %b1, float %s11.7)
  %s12.8 = call float @llvm.fma.f32(float %a0, float %b0, float %s12.7)
  %s13.8 = call float @llvm.fma.f32(float %a1, float %b1, float %s13.7)
  %s14.8 = call float @llvm.fma.f32(float %a0, float %b0, float %s14.7)
  %s15.8 = call float @llvm.fma.f32(float %a1, float %b1, float %s15.7)
  %next = add i32 %round, 1
  %more = icmp ult i32 %next, %count
  br i1 %more, label %loop, label %sum
sum:
  %t1 = fadd float %s0.8, %s1.8
  %t2 = fadd float %t1, %s2.8
  %t3 = fadd float %t2, %s3.8
  %t4 = fadd float %t3, %s4.8
  %t5 = fadd float %t4, %s5.8
  %t6 = fadd float %t5, %s6.8
  %t7 = fadd float %t6, %s7.8
  %t8 = fadd float %t7, %s8.8
  %t9 = fadd float %t8, %s9.8
  %t10 = fadd float %t9, %s10.8
  %t11 = fadd float %t10, %s11.8
  %t12 = fadd float %t11, %s12.8
  %t13 = fadd float %t12, %s13.8
  %t14 = fadd float %t13, %s14.8
  %t15 = fadd float %t14, %s15.8
  ; Never, but the compiler does not know.
  %is = fcmp oeq float %t15, 0x41E0000000000000
  br i1 %is, label %write, label %end
write:
  store float %t15, ptr addrspace(1) %out, align 4
  br label %end
end:
  ret void
}

attributes #0 = {
  "amdgpu-flat-work-group-size"="128,128"
  "uniform-work-group-size"="true"
}
