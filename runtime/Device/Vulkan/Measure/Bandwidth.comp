#version 450
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads `count` vectors and writes as many, one for each invocation.
layout(local_size_x = 128) in;
layout(set = 0, binding = 0) readonly buffer From { vec4 from[]; };
layout(set = 0, binding = 1) writeonly buffer To { vec4 to[]; };
layout(push_constant) uniform Sizes { int count; };

void main() {
  uint group = gl_WorkGroupID.x + 65535u * gl_WorkGroupID.y;
  uint i = group * 128u + gl_LocalInvocationID.x;
  if (i < uint(count))
    to[i] = from[i];
}
