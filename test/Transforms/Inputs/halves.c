/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Counts the outputs of halves that lie beyond the bound of its reference. */

#include "halves.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { H = 9, P = (H - 1) / 2 + 1, C = 16 };

int main(void) {
  float x[H * C], y[P * C];
  double expected[P * C], bound[P * C];
  for (int i = 0; i < H * C; ++i)
    x[i] = (float)(i * 37 % 101) / 50 - 1;
  void *workspace = malloc((size_t)halves_workspace_size(H));
  if (halves(x, y, workspace, H) || halves_reference(x, expected, bound, H))
    return 1;
  free(workspace);
  int wrong = 0;
  for (int i = 0; i < P * C; ++i)
    wrong += !(fabs(y[i] - expected[i]) <= bound[i]);
  printf("%d wrong\n", wrong);
  return 0;
}
