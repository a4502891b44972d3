// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/sparkle-run/Execution/Peaks.h"

#include <algorithm>
#include <cstdio>

using namespace sparkle;

bool Peaks::measure() {
  for (size_t d = 0; d < devices.size(); ++d) {
    sparkle_error_t failure;
    if (sparkle_device_measure(devices[d].get(), threads, &performances[d],
                               &failure) != SPARKLE_OK) {
      std::fprintf(stderr, "sparkle-run: error: %s: %s\n",
                   devices[d].getName().c_str(), failure.message);
      return false;
    }
  }
  return true;
}

void Peaks::update(size_t device) {
  if (!devices[device].isCpu())
    return;
  cores.run([&] {
    sparkle_cpu_peak_t peak;
    double &best = performances[device].gflops;
    if (sparkle_cpu_measure_peak(threads, &peak, nullptr) == SPARKLE_OK)
      best = std::max(best, peak.gflops);
  });
}

void Peaks::update(size_t device, double rate) {
  for (int i = 0; i < 16 && rate > getOperations(device); ++i)
    update(device);
}

void Peaks::print() const {
  for (size_t d = 0; d < devices.size(); ++d)
    std::printf("%s: %s, peak %.1f GFLOPS, %.1f GB/s\n",
                devices[d].getName().c_str(),
                devices[d].getProperties().description, getOperations(d),
                getBandwidth(d));
}

void Peaks::write(Json &json) const {
  json.key("peaks").open('[');
  for (size_t d = 0; d < devices.size(); ++d)
    json.open('{')
        .field("device", devices[d].getName())
        .field("gflops", getOperations(d))
        .field("gbytes_per_second", getBandwidth(d))
        .close();
  json.close();
}
