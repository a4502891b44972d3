// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where the elements of a kernel's tensor lie in memory, by its descriptor.

#ifndef SPARKLE_TOOLS_SPARKLE_RUN_EXECUTION_TENSOR_H
#define SPARKLE_TOOLS_SPARKLE_RUN_EXECUTION_TENSOR_H

#include "sparkle/kernel.h"

#include <string>
#include <vector>

namespace sparkle {

/// One tensor at the sizes of one call, in its declared layout.
class Tensor {
public:
  Tensor(const sparkle_tensor_t &tensor, const std::vector<int64_t> &sizes);

  const char *getName() const { return tensor->name; }
  uint32_t getRole() const { return tensor->role; }
  uint32_t getElement() const { return tensor->element; }
  int64_t getElementSize() const { return isHalf() ? 2 : 4; }
  /// Of elements in memory, that at `offset`.
  double load(const void *elements, int64_t offset) const;
  void store(void *elements, int64_t offset, float value) const;
  bool isPoison(const void *elements, int64_t offset) const;
  const std::vector<int64_t> &getShape() const { return shape; }
  bool isValid() const;
  /// Elements, and those with what rounds the extents up to whole blocks.
  int64_t getCount() const { return count; }
  int64_t getMemoryCount() const { return memoryCount; }

  /// Calls `visit(i, offset)` for each element in row-major order, `offset`
  /// being its place in memory.
  template <typename Visitor> void visit(Visitor visit) const {
    int64_t at[SPARKLE_MAX_RANK] = {};
    for (int64_t i = 0; i < count;) {
      int64_t outer = 0;
      for (size_t d = 0; d + 1 < shape.size(); ++d)
        outer += offsets[d][at[d]];
      for (int64_t inner : offsets.back())
        visit(i++, outer + inner);
      for (size_t d = shape.size() - 1; d-- > 0;) {
        if (++at[d] < shape[d])
          break;
        at[d] = 0;
      }
    }
  }

  /// "y[0, 3, 5, 7]" for the i-th element in row-major order.
  std::string spell(int64_t i) const;

private:
  bool isHalf() const { return getElement() == SPARKLE_ELEMENT_F16; }

  const sparkle_tensor_t *tensor;
  std::vector<int64_t> shape;
  int64_t count = 1, memoryCount = 1;
  /// A factor depends on one coordinate, so that each dimension gives a part of
  /// the place: offsets[d][x].
  std::vector<std::vector<int64_t>> offsets;
};

/// The value of a size that depends on those of the call.
int64_t evaluate(const sparkle_extent_t &extent,
                 const std::vector<int64_t> &sizes);

/// The integer hash "lowbias32" of Chris Wellons, as a number in [-1, 1).
float hash(uint32_t seed, uint32_t i);

/// Four bytes that are not-a-number, also as double and as two f16.
constexpr uint32_t poison = 0xffffffff;

} // namespace sparkle

#endif // SPARKLE_TOOLS_SPARKLE_RUN_EXECUTION_TENSOR_H
