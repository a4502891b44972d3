// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The convolution that a competent person writes by hand: implicit GEMM, 64
// pixels x 64 channels of the output for each workgroup, 8 x 4 of them for each
// invocation, 16 terms of the sum at a time through workgroup memory. NHWC, any
// sizes, no groups. What is compiled has to be right where this is, and no
// slower. It uses what every device has: 128 invocations, less than 16 KiB.

#version 450
#extension GL_EXT_control_flow_attributes : require

layout(local_size_x = 128) in;

// In the order of Floor.c.
layout(push_constant) uniform Sizes {
  int n, h, w, c; // images, rows, columns, channels
  int k, r, s;    // filters, their rows and columns
  int p, q;       // rows and columns of the output
  int pixels;     // of all images of the output
  int strideH, strideW, padH, padW;
  int dilationH, dilationW; // 1: dense
  int added;                // pixels of z: all, or 1 that is not read
  int sum, relu;            // 1: y = relu(... + z)
};

layout(set = 0, binding = 0) readonly restrict buffer X { float x[]; };
layout(set = 0, binding = 1) readonly restrict buffer Filters { float f[]; };
layout(set = 0, binding = 2) readonly restrict buffer Bias { float bias[]; };
layout(set = 0, binding = 3) readonly restrict buffer Z { float z[]; };
layout(set = 0, binding = 4) writeonly restrict buffer Y { float y[]; };

const int tilePixels = 64, tileChannels = 64, tileTerms = 16;

// By term; a vec4 more in a row spreads the columns over the banks.
shared vec4 xTile[tileTerms][tilePixels / 4 + 1];
shared vec4 fTile[tileTerms][tileChannels / 4];

void main() {
  int group = int(gl_WorkGroupID.x + 65535u * gl_WorkGroupID.y);
  int across = (k + tileChannels - 1) / tileChannels;
  int down = (pixels + tilePixels - 1) / tilePixels;
  if (group >= across * down)
    return;
  int firstChannel = group % across * tileChannels;
  int firstPixel = group / across * tilePixels;
  int id = int(gl_LocalInvocationIndex);

  // This invocation brings one term of 8 pixels: whose image that is, and where
  // the first tap meets it. No image: a row that no tap comes back from.
  int xTerm = id % 16, xFirst = id / 16;
  ivec3 origin[8];
  [[unroll]] for (int i = 0; i < 8; ++i) {
    int pixel = firstPixel + xFirst + 8 * i;
    int image = pixel / (p * q), rest = pixel % (p * q);
    bool isThere = pixel < pixels && image < n;
    origin[i] = ivec3(image * h,
                      isThere ? rest / q * strideH - padH : -0x40000000,
                      rest % q * strideW - padW);
  }
  // And eight terms of one filter.
  int fColumn = id % 64, fFirst = id / 64;
  int fChannel = firstChannel + fColumn;

  vec4 sums[8];
  [[unroll]] for (int i = 0; i < 8; ++i)
    sums[i] = vec4(0);
  int down8 = id / 16, across4 = id % 16;
  int terms = r * s * c;

  for (int first = 0; first < terms; first += tileTerms) {
    int term = first + xTerm;
    int tap = term / c, channel = term % c;
    int row = tap / s * dilationH, column = tap % s * dilationW;
    [[unroll]] for (int i = 0; i < 8; ++i) {
      int iy = origin[i].y + row, ix = origin[i].z + column;
      bool isInside =
          term < terms && uint(iy) < uint(h) && uint(ix) < uint(w);
      int at = ((origin[i].x + iy) * w + ix) * c + channel;
      float value = x[isInside ? at : 0];
      int pixel = xFirst + 8 * i;
      xTile[xTerm][pixel / 4][pixel % 4] = isInside ? value : 0.0;
    }
    [[unroll]] for (int i = 0; i < 8; ++i) {
      int at = first + fFirst + 2 * i;
      bool isInside = at < terms && fChannel < k;
      float value = f[isInside ? at * k + fChannel : 0];
      fTile[fFirst + 2 * i][fColumn / 4][fColumn % 4] = isInside ? value : 0.0;
    }
    barrier();
    [[unroll]] for (int t = 0; t < tileTerms; ++t) {
      vec4 a = xTile[t][2 * down8], b = xTile[t][2 * down8 + 1];
      vec4 filters = fTile[t][across4];
      [[unroll]] for (int i = 0; i < 4; ++i) {
        sums[i] = fma(vec4(a[i]), filters, sums[i]);
        sums[i + 4] = fma(vec4(b[i]), filters, sums[i + 4]);
      }
    }
    barrier();
  }

  [[unroll]] for (int j = 0; j < 4; ++j) {
    int channel = firstChannel + 4 * across4 + j;
    if (channel >= k)
      continue;
    [[unroll]] for (int i = 0; i < 8; ++i) {
      int pixel = firstPixel + 8 * down8 + i;
      if (pixel >= pixels)
        continue;
      float value = sums[i][j] + bias[channel];
      if (sum != 0)
        value += z[pixel * k + channel];
      y[pixel * k + channel] = relu != 0 ? max(value, 0.0) : value;
    }
  }
}
