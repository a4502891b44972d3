#version 450
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// y[i] = 2 * x[i] + 1, called as compiled kernels are.
layout(local_size_x = 64) in;
layout(set = 0, binding = 0) readonly buffer X { float x[]; };
layout(set = 0, binding = 1) writeonly buffer Y { float y[]; };
layout(push_constant) uniform Sizes { int n; };

void main() {
  uint group = gl_WorkGroupID.x + 65535u * gl_WorkGroupID.y;
  uint i = group * 64u + gl_LocalInvocationID.x;
  if (i < uint(n))
    y[i] = 2.0 * x[i] + 1.0;
}
