// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The seam to libdrm_amdgpu: opened at run time, with the table of the
// functions that the runtime calls. No other file names the library.

#ifndef SPARKLE_RUNTIME_DEVICE_AMDGPU_DRM_H
#define SPARKLE_RUNTIME_DEVICE_AMDGPU_DRM_H

#include "runtime/Reference.h"
#include "runtime/Status.h"

#include <amdgpu.h>
#include <amdgpu_drm.h>
#include <xf86drm.h>

namespace sparkle::runtime {

/// The functions of Functions.def.
struct DrmFunctions {
#define AMDGPU_FUNCTION(name) decltype(&::name) name = nullptr;
#include "runtime/Device/AMDGPU/Functions.def"
};

/// The opened library; all devices own it.
class DrmLibrary : public Counted {
public:
  /// SPARKLE_UNAVAILABLE and what is missing if there is none.
  static Status open(Ref<DrmLibrary> &result);

  const DrmFunctions &functions() const { return drm; }

private:
  DrmLibrary() = default;
  ~DrmLibrary() override;

  void *library = nullptr;
  DrmFunctions drm;
};

/// "ENOMEM" of 12 or -12; null if it has no name here.
const char *getErrorName(int error);

/// Of a call of `function`, which returned a negative number of the system's.
Status toStatus(int error, const char *function);

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_DEVICE_AMDGPU_DRM_H
