// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The extern "C" functions: check arguments, call inside, hand the status over.

#include "runtime/Device/CPU/Features.h"
#include "runtime/Device/CPU/Peak.h"
#include "runtime/Module.h"

using namespace sparkle::runtime;

namespace {

Status missing(const char *argument) {
  return Status::failure(SPARKLE_INVALID_ARGUMENT,
                         "expected %s, but got a null pointer", argument);
}

} // namespace

const char *sparkle_status_name(sparkle_status_t status) {
  switch (status) {
  case SPARKLE_OK:
    return "OK";
  case SPARKLE_INVALID_ARGUMENT:
    return "INVALID_ARGUMENT";
  case SPARKLE_INVALID_ARTIFACT:
    return "INVALID_ARTIFACT";
  case SPARKLE_NO_IMAGE:
    return "NO_IMAGE";
  case SPARKLE_UNAVAILABLE:
    return "UNAVAILABLE";
  case SPARKLE_OUT_OF_RESOURCES:
    return "OUT_OF_RESOURCES";
  case SPARKLE_STATUS_MAX:
    break;
  }
  return "UNKNOWN";
}

sparkle_status_t sparkle_kernel_validate(const sparkle_kernel_t *kernel,
                                         sparkle_error_t *out_error) {
  if (!kernel)
    return missing("a kernel descriptor").report(out_error);
  return validate(*kernel).report(out_error);
}

sparkle_status_t sparkle_cpu_query_features(uint64_t *out_features,
                                            sparkle_error_t *out_error) {
  if (!out_features)
    return missing("out_features").report(out_error);
  *out_features = 0;
  return queryFeatures(*out_features).report(out_error);
}

sparkle_status_t sparkle_cpu_find_code(const sparkle_kernel_t *kernel,
                                       const sparkle_code_t **out_code,
                                       sparkle_error_t *out_error) {
  if (!out_code)
    return missing("out_code").report(out_error);
  *out_code = nullptr;
  if (!kernel)
    return missing("a kernel descriptor").report(out_error);
  Status status = validate(*kernel);
  uint64_t features = 0;
  if (status.isOk())
    status = queryFeatures(features);
  if (status.isOk())
    status = findCode(*kernel, features, *out_code);
  return status.report(out_error);
}

sparkle_status_t sparkle_cpu_measure_peak(uint32_t threads,
                                          sparkle_cpu_peak_t *out_peak,
                                          sparkle_error_t *out_error) {
  if (!out_peak)
    return missing("out_peak").report(out_error);
  *out_peak = {};
  return measurePeak(threads, *out_peak).report(out_error);
}
