// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The loader counts how often an object was opened; this opens it once more.

#include "runtime/Mapping.h"

#include <dlfcn.h>

namespace sparkle::runtime {

Mapping::Mapping(const void *address) {
  Dl_info info;
  if (dladdr(address, &info) && info.dli_fname)
    object = dlopen(info.dli_fname, RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD);
}

Mapping::~Mapping() {
  if (object)
    dlclose(object);
}

} // namespace sparkle::runtime
