// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Transposes vectors in registers, by shuffles that x86 has one instruction
// for: so vectors with lanes along one dimension are loaded and stored along
// another.

#include "lib/Target/CPU/LowerTiled.h"

using namespace mlir;

namespace sparkle::cpu {

namespace {
/// Shuffles of two vectors, written as on x86: by blocks of 128 bits.
class Shuffles {
public:
  Shuffles(Code &code, int64_t lanes) : code(code), lanes(lanes) {}

  /// In every block: `units` of `size` floats from the lower or upper half of
  /// both vectors, in turn (unpcklps, unpckhps, unpcklpd, unpckhpd).
  Value unpack(Value a, Value b, int64_t size, bool upper) {
    return shuffle(a, b, [&](int64_t lane) {
      int64_t block = lane / kBlock * kBlock, unit = lane % kBlock / size;
      int64_t from = block + (unit / 2 + upper * (kBlock / size / 2)) * size;
      return from + lane % size + (unit % 2 ? lanes : 0);
    });
  }
  /// One half of the blocks of `a`, then the same of `b` (shuff64x2).
  Value halves(Value a, Value b, bool upper) {
    return shuffle(a, b, [&](int64_t lane) {
      int64_t from = lane % (lanes / 2) + upper * (lanes / 2);
      return from + (lane < lanes / 2 ? 0 : lanes);
    });
  }
  /// Every second block of `a`, then the same of `b` (shuff64x2).
  Value everySecond(Value a, Value b, bool odd) {
    return shuffle(a, b, [&](int64_t lane) {
      int64_t block = lane % (lanes / 2) / kBlock;
      int64_t from = (2 * block + odd) * kBlock + lane % kBlock;
      return from + (lane < lanes / 2 ? 0 : lanes);
    });
  }

private:
  Value shuffle(Value a, Value b, function_ref<int64_t(int64_t)> from) {
    SmallVector<int32_t> mask;
    for (int64_t lane = 0; lane < lanes; ++lane)
      mask.push_back(from(lane));
    return LLVM::ShuffleVectorOp::create(code, code.loc, a, b, mask);
  }

  Code &code;
  int64_t lanes;
};
} // namespace

bool canTranspose(int64_t lanes) {
  return lanes == 4 || lanes == 8 || lanes == 16;
}

SmallVector<Value> transposeBlocks(Code &code, ArrayRef<Value> rows) {
  Type type = rows.front().getType();
  Shuffles shuffles(code, cast<VectorType>(type).getNumElements());
  // By floats, then by pairs of floats.
  Value low[2], high[2];
  for (int64_t i : {0, 1}) {
    Value a = rows[2 * i], b = rows[2 * i + 1];
    low[i] = shuffles.unpack(a, b, 1, /*upper=*/false);
    high[i] = shuffles.unpack(a, b, 1, /*upper=*/true);
  }
  SmallVector<Value> columns;
  for (Value *half : {low, high})
    for (bool upper : {false, true})
      columns.push_back(shuffles.unpack(half[0], half[1], 2, upper));
  return columns;
}

Value addAcross(Code &code, ArrayRef<Value> rows) {
  auto lanes = static_cast<int64_t>(rows.size());
  assert(canTranspose(lanes));
  Shuffles shuffles(code, lanes);
  auto add = [&](auto shuffle, Value a, Value b) -> Value {
    return LLVM::FAddOp::create(code, code.loc, shuffle(a, b, false),
                                shuffle(a, b, true));
  };
  auto unpack = [&](int64_t size) {
    return [&, size](Value a, Value b, bool upper) {
      return shuffles.unpack(a, b, size, upper);
    };
  };
  // What is left of four rows is a block of sums in each block.
  SmallVector<Value> sums;
  for (int64_t row = 0; row < lanes; row += kBlock)
    sums.push_back(add(unpack(2), add(unpack(1), rows[row], rows[row + 1]),
                       add(unpack(1), rows[row + 2], rows[row + 3])));
  auto halves = [&](Value a, Value b, bool upper) {
    return shuffles.halves(a, b, upper);
  };
  auto everySecond = [&](Value a, Value b, bool odd) {
    return shuffles.everySecond(a, b, odd);
  };
  if (lanes == 4 * kBlock)
    sums = {add(halves, sums[0], sums[1]), add(halves, sums[2], sums[3])};
  return lanes == kBlock ? sums[0] : add(everySecond, sums[0], sums[1]);
}

SmallVector<Value> transpose(Code &code, ArrayRef<Value> rows) {
  Type type = rows.front().getType();
  int64_t lanes = cast<VectorType>(type).getNumElements();
  assert(canTranspose(lanes) && static_cast<int64_t>(rows.size()) <= lanes);
  SmallVector<Value> matrix(rows);
  while (static_cast<int64_t>(matrix.size()) < lanes)
    matrix.push_back(LLVM::PoisonOp::create(code, code.loc, type));

  for (int64_t row = 0; row < lanes; row += kBlock)
    llvm::copy(transposeBlocks(code, ArrayRef(matrix).slice(row, kBlock)),
               matrix.begin() + row);

  // Then the blocks: column c of the squares, for each block of the row.
  Shuffles shuffles(code, lanes);
  for (int64_t column = 0; column < kBlock; ++column) {
    auto square = [&](int64_t i) -> Value & {
      return matrix[column + i * kBlock];
    };
    if (lanes == 2 * kBlock) {
      Value even = shuffles.everySecond(square(0), square(1), /*odd=*/false);
      square(1) = shuffles.everySecond(square(0), square(1), /*odd=*/true);
      square(0) = even;
    } else if (lanes == 4 * kBlock) {
      Value parts[2][2];
      for (bool upper : {false, true})
        for (int64_t i : {0, 1})
          parts[upper][i] =
              shuffles.halves(square(2 * i), square(2 * i + 1), upper);
      for (bool upper : {false, true})
        for (bool odd : {false, true})
          square(2 * upper + odd) =
              shuffles.everySecond(parts[upper][0], parts[upper][1], odd);
    }
  }
  return matrix;
}

} // namespace sparkle::cpu
