// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The C interface of oneDNN 2, opened at run time.
//
// One OpenMP runtime. Our kernels call LLVM's; Debian's oneDNN calls GCC's. Two
// of them in one process would keep two teams spinning on the same cores.
// LLVM's also has the entry points of GCC's and is made global before oneDNN is
// opened, so that both sides run on the same team; this is checked, because it
// is only a matter of order. Alone in a process, oneDNN takes the same time on
// either.

#ifndef SPARKLE_TOOLS_SPARKLE_RUN_PEER_ONEDNNLIBRARY_H
#define SPARKLE_TOOLS_SPARKLE_RUN_PEER_ONEDNNLIBRARY_H

#include <cstddef>
#include <cstdint>
#include <string>

namespace sparkle::onednn {

// From dnnl_types.h of oneDNN 2: numbers of its enumerations.
enum {
  cpuEngine = 1,
  inOrder = 1,
  float32 = 3,
  anyTag = 1,
  forwardInference = 96,
  directConvolution = 1,
  winogradConvolution = 2,
  transposed = 9, // Of the same by a transposed convolution: how many more.
  querySource = 129,
  queryWeights = 131,
  queryDestination = 133,
  queryMethod = 8,
  argumentSource = 1,
  argumentDestination = 17,
  argumentWeights = 33,
  argumentBias = 41,
  argumentPrelu = 33, // Of a post-op, as the operand of a binary one below.
  argumentOperand = 2,
  argumentPostOp = 16384
};

/// dnnl_memory_desc_t and dnnl_convolution_desc_t: filled in and read by oneDNN
/// alone, and smaller than this.
struct Description {
  alignas(16) char bytes[8192] = {};
};

struct Version {
  int major, minor, patch;
};

struct ExecutionArgument {
  int index;
  void *memory;
};

using Dims = int64_t[12];

/// FUNCTION(result, name, parameters)
#define SPARKLE_ONEDNN_FUNCTIONS(FUNCTION)                                     \
  FUNCTION(const Version *, version, (void))                                   \
  FUNCTION(int, engine_create, (void **, int, size_t))                         \
  FUNCTION(int, stream_create, (void **, void *, unsigned))                    \
  FUNCTION(int, stream_wait, (void *))                                         \
  FUNCTION(int, memory_desc_init_by_strides,                                   \
           (void *, int, const int64_t *, int, const int64_t *))               \
  FUNCTION(int, memory_desc_init_by_tag,                                       \
           (void *, int, const int64_t *, int, int))                           \
  FUNCTION(size_t, memory_desc_get_size, (const void *))                       \
  FUNCTION(int, dilated_convolution_forward_desc_init,                         \
           (void *, int, int, const void *, const void *, const void *,        \
            const void *, const int64_t *, const int64_t *, const int64_t *,   \
            const int64_t *))                                                  \
  FUNCTION(int, dilated_deconvolution_forward_desc_init,                       \
           (void *, int, int, const void *, const void *, const void *,        \
            const void *, const int64_t *, const int64_t *, const int64_t *,   \
            const int64_t *))                                                  \
  FUNCTION(int, primitive_attr_create, (void **))                              \
  FUNCTION(int, primitive_attr_destroy, (void *))                              \
  FUNCTION(int, primitive_attr_set_post_ops, (void *, void *))                 \
  FUNCTION(int, post_ops_create, (void **))                                    \
  FUNCTION(int, post_ops_destroy, (void *))                                    \
  FUNCTION(int, post_ops_append_sum, (void *, float))                          \
  FUNCTION(int, post_ops_append_eltwise, (void *, float, int, float, float))   \
  FUNCTION(int, post_ops_append_binary, (void *, int, const void *))           \
  FUNCTION(int, post_ops_append_prelu, (void *, int))                          \
  FUNCTION(int, primitive_desc_create,                                         \
           (void **, const void *, const void *, void *, const void *))        \
  FUNCTION(int, primitive_desc_destroy, (void *))                              \
  FUNCTION(int, primitive_desc_query, (const void *, int, int, void *))        \
  FUNCTION(const void *, primitive_desc_query_md, (const void *, int, int))    \
  FUNCTION(int, primitive_create, (void **, const void *))                     \
  FUNCTION(int, primitive_destroy, (void *))                                   \
  FUNCTION(int, primitive_execute,                                             \
           (const void *, void *, int, const ExecutionArgument *))             \
  FUNCTION(int, memory_create, (void **, const void *, void *, void *))        \
  FUNCTION(int, memory_destroy, (void *))                                      \
  FUNCTION(int, memory_set_data_handle, (void *, void *))                      \
  FUNCTION(                                                                    \
      int, reorder_primitive_desc_create,                                      \
      (void **, const void *, void *, const void *, void *, const void *))

/// The opened library, its engine and its stream.
struct Library {
#define MEMBER(result, name, parameters) result(*name) parameters = nullptr;
  SPARKLE_ONEDNN_FUNCTIONS(MEMBER)
#undef MEMBER
  void *engine = nullptr, *stream = nullptr;
  std::string error;

  Library();

private:
  bool joinRuntimes();
  void open();
};

/// Opened by the first use.
const Library &getLibrary();

} // namespace sparkle::onednn

#endif // SPARKLE_TOOLS_SPARKLE_RUN_PEER_ONEDNNLIBRARY_H
