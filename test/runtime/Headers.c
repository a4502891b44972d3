/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * The public headers are C11, and the library links into a C program. */

#include "sparkle/runtime.h"

_Static_assert(SPARKLE_TARGET_CPU == 1, "numbers of targets never change");
_Static_assert(sizeof(sparkle_error_t) == 252, "part of the ABI");
_Static_assert(sizeof(sparkle_extent_t) == 24, "part of the ABI");
_Static_assert(sizeof(sparkle_factor_t) == 24, "part of the ABI");
_Static_assert(sizeof(sparkle_tensor_t) == 48, "part of the ABI");
_Static_assert(sizeof(sparkle_packing_t) == 40, "part of the ABI");
_Static_assert(sizeof(sparkle_launch_t) == 32, "part of the ABI");
_Static_assert(sizeof(sparkle_code_t) == 144, "part of the ABI");
_Static_assert(sizeof(sparkle_kernel_t) == 104, "part of the ABI");

/* Fills a buffer of the CPU's and looks at it. */
static int run(sparkle_context_t *context) {
  sparkle_device_t *device = 0;
  sparkle_buffer_t *buffer = 0;
  sparkle_queue_t *queue = 0;
  uint64_t value = 0;
  int failed =
      sparkle_context_find_device(context, "cpu", &device, 0) ||
      sparkle_buffer_create(device, SPARKLE_MEMORY_READBACK, 64, &buffer, 0) ||
      sparkle_queue_create(device, &queue, 0);
  if (!failed) {
    sparkle_view_t view = {.buffer = buffer};
    sparkle_command_t command = {.kind = SPARKLE_COMMAND_FILL,
                                 .fill = 42,
                                 .arguments = &view,
                                 .argument_count = 1};
    sparkle_submission_t submission = {.commands = &command,
                                       .command_count = 1};
    failed = sparkle_queue_submit(queue, &submission, &value, 0) ||
             sparkle_timeline_wait(sparkle_queue_get_timeline(queue), value,
                                   SPARKLE_FOREVER, 0) ||
             ((const uint32_t *)sparkle_buffer_get_pointer(buffer))[15] != 42;
  }
  sparkle_queue_release(queue);
  sparkle_buffer_release(buffer);
  return failed;
}

int main(void) {
  sparkle_context_t *context = 0;
  uint64_t features = 0;
  if (sparkle_cpu_query_features(&features, 0) != SPARKLE_OK ||
      sparkle_context_create(&context, 0) != SPARKLE_OK)
    return 1;
  int failed = run(context);
  sparkle_context_release(context);
  return failed;
}
