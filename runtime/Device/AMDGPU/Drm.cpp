// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Opens the library, and says what its numbers mean.

#include "runtime/Device/AMDGPU/Drm.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>

namespace sparkle::runtime {

Status DrmLibrary::open(Ref<DrmLibrary> &result) {
  const char *path = std::getenv("SPARKLE_AMDGPU_LIBRARY");
  if (!path || !*path)
    path = "libdrm_amdgpu.so.1";
  auto opened = Ref<DrmLibrary>::adopt(new DrmLibrary);
  // It stays loaded: the last owner may go in any thread at any time.
  opened->library = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (!opened->library) {
    const char *reason = dlerror();
    return Status::failure(SPARKLE_UNAVAILABLE,
                           "expected libdrm_amdgpu, but got: %s",
                           reason ? reason : path);
  }
  const char *missing = nullptr;
  // Looks into what the library needs, too, which is libdrm.
#define AMDGPU_FUNCTION(name)                                                  \
  opened->drm.name =                                                           \
      reinterpret_cast<decltype(&::name)>(dlsym(opened->library, #name));      \
  if (!opened->drm.name && !missing)                                           \
    missing = #name;
#include "runtime/Device/AMDGPU/Functions.def"
  if (missing)
    return Status::failure(SPARKLE_UNAVAILABLE,
                           "expected libdrm_amdgpu, but got '%s' without %s",
                           path, missing);
  result = std::move(opened);
  return {};
}

DrmLibrary::~DrmLibrary() {
  if (library)
    dlclose(library);
}

namespace {

struct Known {
  int error;
  const char *name;
  sparkle_status_t status;
};

#define KNOWN(error, status)                                                   \
  { error, #error, SPARKLE_##status }
const Known table[] = {
    KNOWN(EACCES, DRIVER),
    KNOWN(EAGAIN, DRIVER),
    KNOWN(EBADF, DRIVER),
    KNOWN(EBUSY, DRIVER),
    KNOWN(ECANCELED, DEVICE_LOST),
    KNOWN(EFAULT, DRIVER),
    KNOWN(EINVAL, DRIVER),
    KNOWN(EIO, DEVICE_LOST),
    KNOWN(EMFILE, OUT_OF_RESOURCES),
    KNOWN(ENFILE, OUT_OF_RESOURCES),
    KNOWN(ENODATA, DEVICE_LOST),
    KNOWN(ENODEV, DEVICE_LOST),
    KNOWN(ENOENT, DRIVER),
    KNOWN(ENOMEM, OUT_OF_MEMORY),
    KNOWN(ENOSPC, OUT_OF_MEMORY),
    KNOWN(ENOTTY, DRIVER),
    KNOWN(EPERM, DRIVER),
    KNOWN(ETIME, DEVICE_LOST),
    KNOWN(ETIMEDOUT, DEVICE_LOST),
};
#undef KNOWN

const Known *find(int error) {
  for (const Known &known : table)
    if (known.error == std::abs(error))
      return &known;
  return nullptr;
}

} // namespace

const char *getErrorName(int error) {
  const Known *known = find(error);
  return known ? known->name : nullptr;
}

Status toStatus(int error, const char *function) {
  if (error >= 0)
    return {};
  const Known *known = find(error);
  if (known)
    return Status::failure(known->status, "expected %s to succeed, but got %s",
                           function, known->name);
  return Status::failure(SPARKLE_DRIVER,
                         "expected %s to succeed, but got error %d", function,
                         -error);
}

} // namespace sparkle::runtime
