/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
#include "conv.h"

#include <stdio.h>

int main(void) {
  static float x[16 * 6 * 6], w[16 * 16 * 3 * 3];
  static double y[16 * 6 * 6], bounds[16 * 6 * 6];
  for (size_t i = 0; i < sizeof x / sizeof *x; ++i)
    x[i] = 1;
  for (size_t i = 0; i < sizeof w / sizeof *w; ++i)
    w[i] = 1;
  if (conv_reference(x, w, y, bounds))
    return 1;
  double largest = 0;
  for (size_t i = 0; i < sizeof bounds / sizeof *bounds; ++i)
    if (bounds[i] > largest)
      largest = bounds[i];
  printf("%g within %.4f\n", y[7], largest);
  return 0;
}
