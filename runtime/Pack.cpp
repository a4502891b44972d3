// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Walks over the packed weight in the order of memory: the coordinates along
// its factors give those of the tensor, these the place in the source.

#include "runtime/Pack.h"
#include "runtime/Shape.h"

#include <cstring>

namespace sparkle::runtime {
namespace {

/// A point of a tensor.
struct Point {
  int64_t values[SPARKLE_MAX_RANK];
};

/// A layout at fixed extents.
class Layout {
public:
  Layout(const sparkle_factor_t *factors, uint32_t count,
         const Extents &extents)
      : factors(factors), count(count) {
    int64_t stride = 1;
    for (uint32_t i = count; i-- > 0;) {
      sizes[i] = getPhysicalExtent(factors[i], extents);
      strides[i] = stride;
      // Cannot overflow: the bytes were checked.
      stride *= sizes[i];
    }
    elements = stride;
  }

  /// Where a point lies, in elements.
  int64_t find(const Point &point) const {
    int64_t place = 0;
    for (uint32_t i = 0; i < count; ++i) {
      int64_t x = point.values[factors[i].dimension] / factors[i].divisor;
      place += strides[i] * (factors[i].modulus ? x % factors[i].modulus : x);
    }
    return place;
  }

  /// Which point lies there; beyond the extents if none does.
  Point get(int64_t place) const {
    Point point = {};
    for (uint32_t i = 0; i < count; ++i)
      point.values[factors[i].dimension] +=
          place / strides[i] % sizes[i] * factors[i].divisor;
    return point;
  }

  int64_t elements;

private:
  const sparkle_factor_t *factors;
  uint32_t count;
  int64_t sizes[SPARKLE_MAX_RANK], strides[SPARKLE_MAX_RANK];
};

bool isInside(const Point &point, const Extents &extents, uint32_t rank) {
  for (uint32_t i = 0; i < rank; ++i)
    if (point.values[i] >= extents.values[i])
      return false;
  return true;
}

} // namespace

Status packByLayout(const sparkle_kernel_t &kernel,
                    const sparkle_tensor_t &tensor,
                    const sparkle_packing_t &packing, const void *source,
                    void *packed) {
  Extents extents; // a weight's do not depend on sizes
  if (Status status = getExtents(kernel, tensor, nullptr, extents);
      !status.isOk())
    return status;
  std::memset(packed, 0, static_cast<size_t>(packing.size));
  if (packing.size == 0)
    return {};
  Layout from(tensor.layout, tensor.layout_count, extents);
  Layout to(packing.layout, packing.layout_count, extents);
  uint32_t size = getElementSize(tensor.element);
  const char *begin = static_cast<const char *>(source);
  char *end = static_cast<char *>(packed);
  for (int64_t place = 0; place < to.elements; ++place) {
    Point point = to.get(place);
    if (isInside(point, extents, tensor.rank))
      std::memcpy(end + place * size, begin + from.find(point) * size, size);
  }
  return {};
}

} // namespace sparkle::runtime
