/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * One kernel, linked into the program, on the device that the command line
 * names: cpu, vulkan, vulkan:1. Without a name, lists the devices.
 *
 *   sparkle-opt conv.spk --target=cpu,vulkan -o conv.o
 *   cc main.c conv.o -lsparkle -lstdc++ -lpthread -ldl -lomp -lm -o devices */

#include "conv.h"
#include "sparkle/runtime.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { N = 2, K = 64, C = 64, H = 28, W = 28, R = 3, S = 3 };
enum { X_COUNT = N * C * H * W, W_COUNT = K * C * R * S };
enum { Y_COUNT = N * K * H * W };
enum { NO_SUCH_DEVICE = 77 }; /* What test programs call skipped. */

/* The integer hash "lowbias32" of Chris Wellons, as a number in [-1, 1). */
static float hash(uint32_t seed, uint32_t i) {
  uint32_t x = i + seed * 0x9e3779b9u;
  x = (x ^ (x >> 16)) * 0x7feb352du;
  x = (x ^ (x >> 15)) * 0x846ca68bu;
  x ^= x >> 16;
  return (float)(x >> 8) / 8388608.0f - 1.0f;
}

static void *allocate(size_t bytes) {
  void *memory = malloc(bytes);
  if (!memory) {
    perror("devices");
    exit(2);
  }
  return memory;
}

static float *fill(size_t count, uint32_t seed) {
  float *values = allocate(count * sizeof *values);
  for (size_t i = 0; i < count; ++i)
    values[i] = hash(seed, (uint32_t)i);
  return values;
}

/* Every call of the runtime says what is wrong, if something is. */
static void check(sparkle_status_t status, const sparkle_error_t *error) {
  if (status == SPARKLE_OK)
    return;
  fprintf(stderr, "devices: %s: %s\n", sparkle_status_name(status),
          error->message);
  exit(status == SPARKLE_UNAVAILABLE ? NO_SUCH_DEVICE : 2);
}

static void list(const sparkle_context_t *context) {
  for (size_t i = 0; i < sparkle_context_get_device_count(context); ++i) {
    sparkle_device_properties_t device;
    sparkle_device_query_properties(sparkle_context_get_device(context, i),
                                    &device);
    printf("%s: %s\n", device.name, device.description);
  }
}

/* Computes y from x, w and b on the device of that name. */
static void run(const sparkle_context_t *context, const char *name, float *x,
                float *w, float *b, float *y) {
  sparkle_error_t error;
  sparkle_device_t *device;
  check(sparkle_context_find_device(context, name, &device, &error), &error);

  sparkle_device_properties_t properties;
  sparkle_device_query_properties(device, &properties);
  printf("%s: %s\n", properties.name, properties.description);

  sparkle_module_t *module;
  check(sparkle_module_create(device, &conv_kernel, &module, &error), &error);

  /* The stream packs the weights, has buffers on the device, and copies. */
  const int64_t sizes[] = {N};
  void *const arguments[] = {x, w, b, y};
  sparkle_stream_t *stream;
  check(sparkle_stream_create(module, sizes, 1, (const void *const *)arguments,
                              4, &stream, &error),
        &error);
  uint64_t ticket;
  check(sparkle_stream_submit(stream, arguments, 4, &ticket, &error), &error);
  check(sparkle_stream_wait(stream, ticket, SPARKLE_FOREVER, &error), &error);
  sparkle_stream_release(stream);
  sparkle_module_release(module);
}

/* Returns the number of outputs that are not within the reference's bound. */
static size_t count_wrong(const float *x, const float *w, const float *b,
                          const float *y) {
  double *exact = allocate(Y_COUNT * sizeof *exact);
  double *bound = allocate(Y_COUNT * sizeof *bound);
  size_t wrong = 0;
  if (conv_reference(x, w, b, exact, bound, N) != 0) {
    fprintf(stderr, "devices: conv_reference failed\n");
    exit(2);
  }
  for (size_t i = 0; i < Y_COUNT; ++i)
    wrong += !(fabs(y[i] - exact[i]) <= bound[i]);
  free(exact);
  free(bound);
  return wrong;
}

int main(int argc, char **argv) {
  sparkle_error_t error;
  sparkle_context_t *context;
  check(sparkle_context_create(&context, &error), &error);
  if (argc < 2) {
    list(context);
    sparkle_context_release(context);
    return 0;
  }

  float *x = fill(X_COUNT, 1); /* [N, H, W, C] */
  float *w = fill(W_COUNT, 2);
  float *b = fill(K, 3);
  float *y = allocate(Y_COUNT * sizeof *y); /* [N, H, W, K] */
  run(context, argv[1], x, w, b, y);

  double sum = 0;
  for (size_t i = 0; i < Y_COUNT; ++i)
    sum += y[i];
  size_t wrong = count_wrong(x, w, b, y);
  printf("mean %.4f; %d outputs, %zu beyond their error bound\n", sum / Y_COUNT,
         Y_COUNT, wrong);

  free(x);
  free(w);
  free(b);
  free(y);
  sparkle_context_release(context);
  return wrong != 0;
}
