// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// sparkle-run devices: what the machine has, and why something is missing.

#include "tools/sparkle-run/Command/Commands.h"

#include <cstdio>

using namespace sparkle;

namespace {

/// A target of the list in include/sparkle.
struct Target {
  const char *word;
  uint32_t number;
};

struct Missing {
  std::string target, reason;
};

} // namespace

static const Target targets[] = {
#define SPARKLE_TARGET(folder, word, number) {#word, number},
#include "sparkle/targets.def"
#undef SPARKLE_TARGET
};

static std::string spellFeatures(const sparkle_device_properties_t &device) {
  std::string all;
  auto add = [&](const char *name, uint64_t bit) {
    if (device.features >> bit & 1)
      all += (all.empty() ? "" : ", ") + std::string(name);
  };
#define FEATURE(NAME, spelling, bit) add(spelling, bit);
  if (device.target == SPARKLE_TARGET_CPU) {
    SPARKLE_CPU_FEATURES(FEATURE)
  } else {
    SPARKLE_GPU_FEATURES(FEATURE)
  }
#undef FEATURE
  if (device.has_copy_engine)
    all += (all.empty() ? "" : ", ") + std::string("copy engine");
  if (device.has_timestamps)
    all += (all.empty() ? "" : ", ") + std::string("timestamps");
  if (device.is_unified)
    all += (all.empty() ? "" : ", ") + std::string("unified memory");
  if (device.runs_on_host)
    all += (all.empty() ? "" : ", ") + std::string("runs on the host");
  return all.empty() ? "none" : all;
}

static std::string spellBytes(uint64_t bytes) {
  static const char *const units[] = {"KiB", "MiB", "GiB", "TiB"};
  double amount = double(bytes) / 1024;
  unsigned unit = 0;
  for (; amount >= 1024 && unit < 3; ++unit)
    amount /= 1024;
  char text[32];
  std::snprintf(text, sizeof text, "%.4g %s", amount, units[unit]);
  return text;
}

static void print(const sparkle_device_properties_t &device,
                  const sparkle_device_performance_t *performance) {
  bool isCpu = device.target == SPARKLE_TARGET_CPU;
  std::printf("%s: %s\n", device.name, device.description);
  if (*device.driver)
    std::printf("  driver    %s\n", device.driver);
  std::printf("  memory    %s, of which %s for one buffer at most\n",
              spellBytes(device.memory).c_str(),
              spellBytes(device.max_buffer).c_str());
  if (isCpu)
    std::printf("  limits    %u threads, %u queues, offsets of %u\n",
                device.invocations, device.queues, device.alignment);
  else
    std::printf("  limits    %u invocations and %s of memory of a workgroup, "
                "%u queues, offsets of %u\n",
                device.invocations, spellBytes(device.local_memory).c_str(),
                device.queues, device.alignment);
  std::printf("  features  %s\n", spellFeatures(device).c_str());
  if (performance)
    std::printf(
        "  measured  %.1f GFLOPS, %.1f GB/s, %.1f GB/s in caches, %.1f GB/s "
        "from the host, %.1f us to launch\n",
        performance->gflops, performance->gbytes_per_second,
        performance->near_gbytes_per_second,
        performance->copy_gbytes_per_second, performance->launch_ns * 1e-3);
}

static void write(Json &json, const sparkle_device_properties_t &device,
                  const sparkle_device_performance_t *performance) {
  json.open('{')
      .field("name", device.name)
      .field("description", device.description)
      .field("driver", device.driver)
      .field("memory", device.memory)
      .field("max_buffer", device.max_buffer)
      .field("alignment", device.alignment)
      .field("invocations", device.invocations)
      .field("local_memory", device.local_memory)
      .field("queues", device.queues)
      .field("features", spellFeatures(device))
      .field("runs_on_host", device.runs_on_host);
  if (performance)
    json.field("gflops", performance->gflops)
        .field("gbytes_per_second", performance->gbytes_per_second)
        .field("copy_gbytes_per_second", performance->copy_gbytes_per_second)
        .field("launch_ns", performance->launch_ns)
        .field("near_gbytes_per_second", performance->near_gbytes_per_second);
  json.close();
}

/// The targets that no device is of.
static std::vector<Missing> findMissing(const sparkle_context_t *context) {
  std::vector<Missing> missing;
  for (const Target &target : targets) {
    sparkle_device_t *device = nullptr;
    sparkle_error_t failure;
    if (sparkle_context_find_device(context, target.word, &device, &failure) !=
        SPARKLE_OK)
      missing.push_back({target.word, failure.message});
  }
  return missing;
}

int sparkle::listDevices(const sparkle_context_t *context,
                         const Options &options) {
  Json json;
  json.open('{').key("devices").open('[');
  int status = 0;
  for (size_t i = 0; i < sparkle_context_get_device_count(context); ++i) {
    sparkle_device_t *device = sparkle_context_get_device(context, i);
    sparkle_device_properties_t properties;
    sparkle_device_query_properties(device, &properties);
    sparkle_device_performance_t performance;
    sparkle_error_t failure;
    bool isMeasured =
        options.measures &&
        sparkle_device_measure(device, uint32_t(options.threads), &performance,
                               &failure) == SPARKLE_OK;
    if (options.measures && !isMeasured) {
      std::fprintf(stderr, "sparkle-run: error: %s: %s\n", properties.name,
                   failure.message);
      status = 1;
    }
    if (options.isJson)
      write(json, properties, isMeasured ? &performance : nullptr);
    else
      print(properties, isMeasured ? &performance : nullptr);
  }
  json.close().key("missing").open('[');
  for (const Missing &one : findMissing(context)) {
    json.open('{').field("target", one.target).field("reason", one.reason);
    json.close();
    if (!options.isJson)
      std::printf("%s: none: %s\n", one.target.c_str(), one.reason.c_str());
  }
  json.close().close();
  if (options.isJson)
    std::printf("%s\n", json.getText().c_str());
  return status;
}
