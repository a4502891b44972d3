#version 450
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Nothing but multiply-adds: eight chains of four, 16 rounds for each count of
// `rounds`. What comes out depends on all of them and is never written.
layout(local_size_x = 128) in;
layout(set = 0, binding = 0) writeonly buffer Result { float result[]; };
layout(push_constant) uniform Sizes { int rounds; };

void main() {
  float seed = float(gl_LocalInvocationID.x) * 1e-6;
  vec4 a = vec4(1.0, 0.999, 0.998, 0.997) - seed, b = vec4(seed);
  vec4 s0 = b, s1 = b + 1.0, s2 = b + 2.0, s3 = b + 3.0;
  vec4 s4 = b + 4.0, s5 = b + 5.0, s6 = b + 6.0, s7 = b + 7.0;
  for (int i = 0; i < rounds; ++i) {
#define ROUND                                                                  \
  s0 = fma(s0, a, b); s1 = fma(s1, a, b); s2 = fma(s2, a, b);                  \
  s3 = fma(s3, a, b); s4 = fma(s4, a, b); s5 = fma(s5, a, b);                  \
  s6 = fma(s6, a, b); s7 = fma(s7, a, b);
#define ROUNDS ROUND ROUND ROUND ROUND
    ROUNDS ROUNDS ROUNDS ROUNDS
  }
  vec4 sum = s0 + s1 + s2 + s3 + s4 + s5 + s6 + s7;
  float value = sum.x + sum.y + sum.z + sum.w;
  if (value == 12345.678)
    result[0] = value;
}
