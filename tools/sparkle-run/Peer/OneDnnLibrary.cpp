// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/sparkle-run/Peer/OneDnnLibrary.h"

#include <dlfcn.h>

using namespace sparkle::onednn;

/// Makes the OpenMP runtime of our kernels the one that oneDNN finds. It counts
/// the cores here, as GCC's, which comes with oneDNN though nobody calls it,
/// leaves this thread only one of them where threads are to be bound.
bool Library::joinRuntimes() {
  Dl_info gcc, llvm;
  dlopen("libomp.so.5", RTLD_NOW | RTLD_GLOBAL);
  void *count = dlsym(RTLD_DEFAULT, "omp_get_num_procs");
  if (count)
    reinterpret_cast<int (*)()>(count)();
  void *parallel = dlsym(RTLD_DEFAULT, "GOMP_parallel");
  void *fork = dlsym(RTLD_DEFAULT, "__kmpc_fork_call");
  return parallel && fork && dladdr(parallel, &gcc) && dladdr(fork, &llvm) &&
         gcc.dli_fbase == llvm.dli_fbase;
}

void Library::open() {
  if (!joinRuntimes()) {
    error = "expected one OpenMP runtime, but oneDNN and the kernels would "
            "have different ones";
    return;
  }
  void *library = dlopen("libdnnl.so.2", RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    error = "libdnnl.so.2 is not there";
    return;
  }
  bool isWhole = true;
#define LOAD(result, name, parameters)                                         \
  name =                                                                       \
      reinterpret_cast<result(*) parameters>(dlsym(library, "dnnl_" #name));   \
  isWhole &= name != nullptr;
  SPARKLE_ONEDNN_FUNCTIONS(LOAD)
#undef LOAD
  if (!isWhole || version()->major != 2)
    error = "libdnnl.so.2 is not oneDNN 2";
  else if (engine_create(&engine, cpuEngine, 0) != 0 ||
           stream_create(&stream, engine, inOrder) != 0)
    error = "oneDNN has no engine for the CPU";
}

Library::Library() { open(); }

const Library &sparkle::onednn::getLibrary() {
  static const Library library;
  return library;
}
