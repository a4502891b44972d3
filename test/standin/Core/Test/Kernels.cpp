// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// LLVM IR of the kernels of the tests.

#include "test/standin/Core/Test/Kernels.h"

namespace sparkle::standin {

const char *const kSum = R"(
declare i32 @llvm.amdgcn.workitem.id.x()
declare i32 @llvm.amdgcn.workgroup.id.x()
define amdgpu_kernel void @k(ptr addrspace(1) %a, ptr addrspace(1) %b,
                             ptr addrspace(1) %c, i32 %n) #0 {
  %thread = call i32 @llvm.amdgcn.workitem.id.x()
  %group = call i32 @llvm.amdgcn.workgroup.id.x()
  %start = mul i32 %group, 64
  %i = add i32 %start, %thread
  %inside = icmp ult i32 %i, %n
  br i1 %inside, label %body, label %end
body:
  %pa = getelementptr float, ptr addrspace(1) %a, i32 %i
  %pb = getelementptr float, ptr addrspace(1) %b, i32 %i
  %pc = getelementptr float, ptr addrspace(1) %c, i32 %i
  %x = load float, ptr addrspace(1) %pa
  %y = load float, ptr addrspace(1) %pb
  %z = fadd float %x, %y
  store float %z, ptr addrspace(1) %pc
  br label %end
end:
  ret void
}
attributes #0 = { "amdgpu-flat-work-group-size"="64,64"
                  "uniform-work-group-size"="true" }
)";

// Thread t copies 4 floats of row t / 4 of A's tile (64 x 16), and of row
// t / 16 of B's (16 x 64), and sums rows 4 (t / 16) and columns 4 (t % 16).
const char *const kTiledProduct = R"(
@as = internal addrspace(3) global [1024 x float] poison, align 16
@bs = internal addrspace(3) global [1024 x float] poison, align 16
declare i32 @llvm.amdgcn.workitem.id.x()
declare i32 @llvm.amdgcn.workgroup.id.x()
declare void @llvm.amdgcn.s.barrier()
declare <4 x float> @llvm.fma.v4f32(<4 x float>, <4 x float>, <4 x float>)

define internal <4 x float> @row(i32 %ty, i32 %r, i32 %k, <4 x float> %b,
                                 <4 x float> %sum) alwaysinline {
  %ty4 = mul i32 %ty, 4
  %m = add i32 %ty4, %r
  %m16 = mul i32 %k, 64
  %at = add i32 %m16, %m
  %p = getelementptr float, ptr addrspace(3) @as, i32 %at
  %a = load float, ptr addrspace(3) %p
  %one = insertelement <4 x float> poison, float %a, i32 0
  %all = shufflevector <4 x float> %one, <4 x float> poison,
                       <4 x i32> zeroinitializer
  %next = call <4 x float> @llvm.fma.v4f32(<4 x float> %all, <4 x float> %b,
                                           <4 x float> %sum)
  ret <4 x float> %next
}

define internal void @put(ptr addrspace(1) %c, i32 %row, i32 %column, i32 %n,
                          <4 x float> %v) alwaysinline {
  %rn = mul i32 %row, %n
  %at = add i32 %rn, %column
  %p = getelementptr float, ptr addrspace(1) %c, i32 %at
  store <4 x float> %v, ptr addrspace(1) %p, align 16
  ret void
}

define amdgpu_kernel void @k(ptr addrspace(1) %a, ptr addrspace(1) %b,
                             ptr addrspace(1) %c, i32 %n) #0 {
entry:
  %t = call i32 @llvm.amdgcn.workitem.id.x()
  %g = call i32 @llvm.amdgcn.workgroup.id.x()
  %tiles = udiv i32 %n, 64
  %gy = udiv i32 %g, %tiles
  %gx = urem i32 %g, %tiles
  %row0 = mul i32 %gy, 64
  %col0 = mul i32 %gx, 64
  %ty = lshr i32 %t, 4
  %tx = and i32 %t, 15
  %ar = lshr i32 %t, 2
  %ac4 = and i32 %t, 3
  %ac = mul i32 %ac4, 4
  %bc = mul i32 %tx, 4
  %arow = add i32 %row0, %ar
  %arown = mul i32 %arow, %n
  %bcol = add i32 %col0, %bc
  br label %loop
loop:
  %k0 = phi i32 [ 0, %entry ], [ %k1, %latch ]
  %s0 = phi <4 x float> [ zeroinitializer, %entry ], [ %u0, %latch ]
  %s1 = phi <4 x float> [ zeroinitializer, %entry ], [ %u1, %latch ]
  %s2 = phi <4 x float> [ zeroinitializer, %entry ], [ %u2, %latch ]
  %s3 = phi <4 x float> [ zeroinitializer, %entry ], [ %u3, %latch ]
  %ak = add i32 %k0, %ac
  %aat = add i32 %arown, %ak
  %ap = getelementptr float, ptr addrspace(1) %a, i32 %aat
  %av = load <4 x float>, ptr addrspace(1) %ap, align 16
  %bk = add i32 %k0, %ty
  %bkn = mul i32 %bk, %n
  %bat = add i32 %bkn, %bcol
  %bp = getelementptr float, ptr addrspace(1) %b, i32 %bat
  %bv = load <4 x float>, ptr addrspace(1) %bp, align 16
  %a0 = extractelement <4 x float> %av, i32 0
  %a1 = extractelement <4 x float> %av, i32 1
  %a2 = extractelement <4 x float> %av, i32 2
  %a3 = extractelement <4 x float> %av, i32 3
  %as64 = mul i32 %ac, 64
  %asat = add i32 %as64, %ar
  %as0 = getelementptr float, ptr addrspace(3) @as, i32 %asat
  %as1 = getelementptr float, ptr addrspace(3) %as0, i32 64
  %as2 = getelementptr float, ptr addrspace(3) %as0, i32 128
  %as3 = getelementptr float, ptr addrspace(3) %as0, i32 192
  store float %a0, ptr addrspace(3) %as0
  store float %a1, ptr addrspace(3) %as1
  store float %a2, ptr addrspace(3) %as2
  store float %a3, ptr addrspace(3) %as3
  %bs64 = mul i32 %ty, 64
  %bsat = add i32 %bs64, %bc
  %bs0 = getelementptr float, ptr addrspace(3) @bs, i32 %bsat
  store <4 x float> %bv, ptr addrspace(3) %bs0, align 16
  fence syncscope("workgroup") release
  call void @llvm.amdgcn.s.barrier()
  fence syncscope("workgroup") acquire
  br label %sum
sum:
  %k = phi i32 [ 0, %loop ], [ %knext, %sum ]
  %t0 = phi <4 x float> [ %s0, %loop ], [ %u0, %sum ]
  %t1 = phi <4 x float> [ %s1, %loop ], [ %u1, %sum ]
  %t2 = phi <4 x float> [ %s2, %loop ], [ %u2, %sum ]
  %t3 = phi <4 x float> [ %s3, %loop ], [ %u3, %sum ]
  %k64 = mul i32 %k, 64
  %bat2 = add i32 %k64, %bc
  %bsp = getelementptr float, ptr addrspace(3) @bs, i32 %bat2
  %bvv = load <4 x float>, ptr addrspace(3) %bsp, align 16
  %u0 = call <4 x float> @row(i32 %ty, i32 0, i32 %k, <4 x float> %bvv,
                              <4 x float> %t0)
  %u1 = call <4 x float> @row(i32 %ty, i32 1, i32 %k, <4 x float> %bvv,
                              <4 x float> %t1)
  %u2 = call <4 x float> @row(i32 %ty, i32 2, i32 %k, <4 x float> %bvv,
                              <4 x float> %t2)
  %u3 = call <4 x float> @row(i32 %ty, i32 3, i32 %k, <4 x float> %bvv,
                              <4 x float> %t3)
  %knext = add i32 %k, 1
  %more = icmp ult i32 %knext, 16
  br i1 %more, label %sum, label %latch
latch:
  fence syncscope("workgroup") release
  call void @llvm.amdgcn.s.barrier()
  fence syncscope("workgroup") acquire
  %k1 = add i32 %k0, 16
  %again = icmp ult i32 %k1, %n
  br i1 %again, label %loop, label %done
done:
  %ty4 = mul i32 %ty, 4
  %r0 = add i32 %row0, %ty4
  %r1 = add i32 %r0, 1
  %r2 = add i32 %r0, 2
  %r3 = add i32 %r0, 3
  call void @put(ptr addrspace(1) %c, i32 %r0, i32 %bcol, i32 %n,
                 <4 x float> %u0)
  call void @put(ptr addrspace(1) %c, i32 %r1, i32 %bcol, i32 %n,
                 <4 x float> %u1)
  call void @put(ptr addrspace(1) %c, i32 %r2, i32 %bcol, i32 %n,
                 <4 x float> %u2)
  call void @put(ptr addrspace(1) %c, i32 %r3, i32 %bcol, i32 %n,
                 <4 x float> %u3)
  ret void
}
attributes #0 = { "amdgpu-flat-work-group-size"="256,256"
                  "uniform-work-group-size"="true" }
)";

const char *const kReduction = R"(
@total = internal addrspace(3) global i32 poison, align 4
declare i32 @llvm.amdgcn.workitem.id.x()
declare i32 @llvm.amdgcn.workgroup.id.x()
declare i32 @llvm.amdgcn.ds.bpermute(i32, i32)
declare void @llvm.amdgcn.s.barrier()
define internal i32 @fold(i32 %v, i32 %lane, i32 %by) alwaysinline {
  %from = xor i32 %lane, %by
  %address = shl i32 %from, 2
  %other = call i32 @llvm.amdgcn.ds.bpermute(i32 %address, i32 %v)
  %sum = add i32 %v, %other
  ret i32 %sum
}
define amdgpu_kernel void @k(ptr addrspace(1) %in, ptr addrspace(1) %out) #0 {
  %t = call i32 @llvm.amdgcn.workitem.id.x()
  %g = call i32 @llvm.amdgcn.workgroup.id.x()
  %lane = and i32 %t, 31
  %start = mul i32 %g, 256
  %i = add i32 %start, %t
  %p = getelementptr i32, ptr addrspace(1) %in, i32 %i
  %v = load i32, ptr addrspace(1) %p
  %first = icmp eq i32 %t, 0
  br i1 %first, label %clear, label %sum
clear:
  store i32 0, ptr addrspace(3) @total
  br label %sum
sum:
  fence syncscope("workgroup") release
  call void @llvm.amdgcn.s.barrier()
  fence syncscope("workgroup") acquire
  %v1 = call i32 @fold(i32 %v, i32 %lane, i32 1)
  %v2 = call i32 @fold(i32 %v1, i32 %lane, i32 2)
  %v4 = call i32 @fold(i32 %v2, i32 %lane, i32 4)
  %v8 = call i32 @fold(i32 %v4, i32 %lane, i32 8)
  %v16 = call i32 @fold(i32 %v8, i32 %lane, i32 16)
  %leads = icmp eq i32 %lane, 0
  br i1 %leads, label %add, label %join
add:
  %old = atomicrmw add ptr addrspace(3) @total, i32 %v16
                   syncscope("workgroup") monotonic
  br label %join
join:
  fence syncscope("workgroup") release
  call void @llvm.amdgcn.s.barrier()
  fence syncscope("workgroup") acquire
  br i1 %first, label %write, label %end
write:
  %all = load i32, ptr addrspace(3) @total
  %o = getelementptr i32, ptr addrspace(1) %out, i32 %g
  store i32 %all, ptr addrspace(1) %o
  br label %end
end:
  ret void
}
attributes #0 = { "amdgpu-flat-work-group-size"="256,256"
                  "uniform-work-group-size"="true" }
)";

const char *const kDivision = R"(
declare i32 @llvm.amdgcn.workitem.id.x()
define amdgpu_kernel void @k(ptr addrspace(1) %a, ptr addrspace(1) %b,
                             ptr addrspace(1) %q, ptr addrspace(1) %r) #0 {
  %t = call i32 @llvm.amdgcn.workitem.id.x()
  %pa = getelementptr i64, ptr addrspace(1) %a, i32 %t
  %pb = getelementptr i64, ptr addrspace(1) %b, i32 %t
  %x = load i64, ptr addrspace(1) %pa
  %y = load i64, ptr addrspace(1) %pb
  %x32 = trunc i64 %x to i32
  %y32 = trunc i64 %y to i32
  %q0 = udiv i64 %x, %y
  %r0 = urem i64 %x, %y
  %q1 = sdiv i64 %x, %y
  %r1 = srem i64 %x, %y
  %q2s = udiv i32 %x32, %y32
  %r2s = urem i32 %x32, %y32
  %q3s = sdiv i32 %x32, %y32
  %r3s = srem i32 %x32, %y32
  %q2 = zext i32 %q2s to i64
  %r2 = zext i32 %r2s to i64
  %q3 = sext i32 %q3s to i64
  %r3 = sext i32 %r3s to i64
  %t1 = add i32 %t, 32
  %t2 = add i32 %t, 64
  %t3 = add i32 %t, 96
  %pq0 = getelementptr i64, ptr addrspace(1) %q, i32 %t
  %pq1 = getelementptr i64, ptr addrspace(1) %q, i32 %t1
  %pq2 = getelementptr i64, ptr addrspace(1) %q, i32 %t2
  %pq3 = getelementptr i64, ptr addrspace(1) %q, i32 %t3
  %pr0 = getelementptr i64, ptr addrspace(1) %r, i32 %t
  %pr1 = getelementptr i64, ptr addrspace(1) %r, i32 %t1
  %pr2 = getelementptr i64, ptr addrspace(1) %r, i32 %t2
  %pr3 = getelementptr i64, ptr addrspace(1) %r, i32 %t3
  store i64 %q0, ptr addrspace(1) %pq0
  store i64 %q1, ptr addrspace(1) %pq1
  store i64 %q2, ptr addrspace(1) %pq2
  store i64 %q3, ptr addrspace(1) %pq3
  store i64 %r0, ptr addrspace(1) %pr0
  store i64 %r1, ptr addrspace(1) %pr1
  store i64 %r2, ptr addrspace(1) %pr2
  store i64 %r3, ptr addrspace(1) %pr3
  ret void
}
attributes #0 = { "amdgpu-flat-work-group-size"="32,32"
                  "uniform-work-group-size"="true" }
)";

const char *const kHalves = R"(
declare i32 @llvm.amdgcn.workitem.id.x()
declare float @llvm.exp2.f32(float)
define amdgpu_kernel void @k(ptr addrspace(1) %x, ptr addrspace(1) %y) #0 {
  %t = call i32 @llvm.amdgcn.workitem.id.x()
  %px = getelementptr half, ptr addrspace(1) %x, i32 %t
  %py = getelementptr half, ptr addrspace(1) %y, i32 %t
  %h = load half, ptr addrspace(1) %px
  %f = fpext half %h to float
  %d = fmul float %f, 2.0
  %e = call float @llvm.exp2.f32(float %f)
  %s = fadd float %d, %e
  %r = fptrunc float %s to half
  store half %r, ptr addrspace(1) %py
  ret void
}
attributes #0 = { "amdgpu-flat-work-group-size"="64,64"
                  "uniform-work-group-size"="true" }
)";

const char *const kSearch = R"(
declare i32 @llvm.amdgcn.workitem.id.x()
define amdgpu_kernel void @k(ptr addrspace(1) %a, ptr addrspace(1) %b,
                             ptr addrspace(1) %y, i32 %n) #0 {
entry:
  %t = call i32 @llvm.amdgcn.workitem.id.x()
  %pa = getelementptr i32, ptr addrspace(1) %a, i32 %t
  %x = load i32, ptr addrspace(1) %pa
  br label %loop
loop:
  %i = phi i32 [ 0, %entry ], [ %i1, %next ]
  %i7 = mul i32 %i, 7
  %it = add i32 %i7, %t
  %at = and i32 %it, 63
  %pb = getelementptr i32, ptr addrspace(1) %b, i32 %at
  %v = load i32, ptr addrspace(1) %pb
  %hit = icmp eq i32 %v, %x
  br i1 %hit, label %done, label %next
next:
  %i1 = add i32 %i, 1
  %more = icmp ult i32 %i1, %n
  br i1 %more, label %loop, label %done
done:
  %found = phi i1 [ true, %loop ], [ false, %next ]
  %last = phi i32 [ %i, %loop ], [ %i1, %next ]
  %far = add i32 %last, 1000
  %r = select i1 %found, i32 %far, i32 %last
  %py = getelementptr i32, ptr addrspace(1) %y, i32 %t
  store i32 %r, ptr addrspace(1) %py
  ret void
}
attributes #0 = { "amdgpu-flat-work-group-size"="64,64"
                  "uniform-work-group-size"="true" }
)";

// Lane l reads row l % 16 of A and column l % 16 of B; register r of C and D
// is row 2 r + l / 16.
const char *const kMatrix = R"(
declare i32 @llvm.amdgcn.workitem.id.x()
declare <8 x float> @llvm.amdgcn.wmma.f32.16x16x16.f16.v8f32.v16f16(
    <16 x half>, <16 x half>, <8 x float>)
define amdgpu_kernel void @k(ptr addrspace(1) %a, ptr addrspace(1) %bt,
                             ptr addrspace(1) %c) #0 {
  %t = call i32 @llvm.amdgcn.workitem.id.x()
  %n = and i32 %t, 15
  %up = lshr i32 %t, 4
  %pa = getelementptr <16 x half>, ptr addrspace(1) %a, i32 %n
  %pb = getelementptr <16 x half>, ptr addrspace(1) %bt, i32 %n
  %x = load <16 x half>, ptr addrspace(1) %pa
  %y = load <16 x half>, ptr addrspace(1) %pb
  %d = call <8 x float> @llvm.amdgcn.wmma.f32.16x16x16.f16.v8f32.v16f16(
      <16 x half> %x, <16 x half> %y, <8 x float> splat (float 1.0))
  %up16 = mul i32 %up, 16
  %at0 = add i32 %up16, %n
  %p0 = getelementptr float, ptr addrspace(1) %c, i32 %at0
  br label %loop
loop:
  %r = phi i32 [ 0, %0 ], [ %r1, %loop ]
  %v = extractelement <8 x float> %d, i32 %r
  %off = mul i32 %r, 32
  %p = getelementptr float, ptr addrspace(1) %p0, i32 %off
  store float %v, ptr addrspace(1) %p
  %r1 = add i32 %r, 1
  %more = icmp ult i32 %r1, 8
  br i1 %more, label %loop, label %end
end:
  ret void
}
attributes #0 = { "amdgpu-flat-work-group-size"="32,32"
                  "uniform-work-group-size"="true" }
)";

} // namespace sparkle::standin
