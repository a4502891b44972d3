// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Elements of tensors as vectors: how the lanes lie in memory, which of them
// are inside, loads and stores.

#include "lib/Target/CPU/LowerTiled.h"

using namespace mlir;

namespace sparkle::cpu {

//===----------------------------------------------------------------------===//
// How lanes lie in memory
//===----------------------------------------------------------------------===//

/// What is left of all of these without their constants, if that is the same.
static std::optional<LinearForm> getCommonTerms(ArrayRef<LinearForm> forms) {
  for (const LinearForm &form : forms)
    if (form.terms != forms.front().terms)
      return std::nullopt;
  LinearForm common = forms.front();
  common.constant = 0;
  return common;
}

/// Drops the lanes whose form is negative; where only run time can tell, that
/// becomes a condition.
void KernelLowering::require(SmallVector<LinearForm, 2> forms, bool zeroFilled,
                             Access &access) {
  size_t lanes = forms.size();
  if (llvm::all_equal(forms))
    forms.resize(1);
  const LinearForm &least = *llvm::min_element(forms);
  if (getCommonTerms(forms) && indices.isNonNegative(least))
    return;
  bool decided = true;
  for (unsigned lane = 0; lane < lanes; ++lane) {
    const LinearForm &form = forms[forms.size() == 1 ? 0 : lane];
    if (indices.isNonNegative(form * -1 - 1))
      access.present.reset(lane);
    else if (!form.isConstant())
      decided = false;
  }
  if (!decided && !zeroFilled)
    access.conditions.push_back(std::move(forms));
}

/// Requires the lanes to be inside of the tensor, and of a box with room for
/// less.
void KernelLowering::checkBounds(const Memory &memory, ArrayRef<Point> lanes,
                                 uint64_t inside, Access &access) {
  auto requireBetween = [&](unsigned dim, const LinearForm &begin,
                            const LinearForm &end) {
    SmallVector<LinearForm, 2> lower, upper;
    for (const Point &lane : lanes) {
      lower.push_back(lane[dim] - begin);
      upper.push_back(end - lane[dim] - 1);
    }
    require(std::move(lower), memory.zeroFilled, access);
    require(std::move(upper), memory.zeroFilled, access);
  };
  for (auto [dim, extent] : llvm::enumerate(memory.extents)) {
    if (!(inside >> dim & 1))
      requireBetween(dim, 0, extent);
    if (!memory.room.empty())
      requireBetween(dim, memory.origin[dim],
                     memory.origin[dim] + memory.room[dim]);
  }
}

/// Elements that are broadcast and blended rather than permuted.
constexpr size_t kMostRepeated = 2;

/// The address of an element. Constants stay constants of it.
Value KernelLowering::getAddress(const Memory &memory,
                                 const LinearForm &offset) {
  LinearForm moving = offset;
  moving.constant = 0;
  Value address = memory.pointer;
  if (!moving.isConstant())
    address = indices.getOnce(address, moving, [&](Value count) {
      return code.offset(memory.element, memory.pointer, count);
    });
  return code.offset(memory.element, address, offset.constant);
}

/// Finds out whether scattered lanes are repeated.
static void findRepeated(Access &access) {
  if (!access.isAllOrNothing())
    return;
  const LinearForm &first = access.offsets[access.present.find_first()];
  int64_t begin = 0, end = 1;
  llvm::SmallDenseSet<int64_t> distinct;
  for (unsigned lane : access.present.set_bits()) {
    LinearForm distance = access.offsets[lane] - first;
    if (!distance.isConstant())
      return;
    distinct.insert(distance.constant);
    begin = std::min(begin, distance.constant);
    end = std::max(end, distance.constant + 1);
  }
  bool isInWindow = end - begin <= int64_t(access.present.size());
  size_t most = access.present.count() / 2;
  if (distinct.size() > (isInWindow ? most : std::min(most, kMostRepeated)))
    return;
  access.kind = Access::Repeated;
  if (isInWindow)
    access.windowBegin = begin, access.windowEnd = end;
}

/// `lanes` are the points of a vector of `width` lanes; there may be fewer.
Access KernelLowering::resolve(const Memory &memory, ArrayRef<Point> lanes,
                               int64_t width, uint64_t inside) {
  Access access;
  access.present.resize(width);
  access.present.set(0, lanes.size());
  checkBounds(memory, lanes, inside, access);
  if (access.present.none())
    return access;

  SmallVector<LinearForm, 2> offsets;
  for (const Point &lane : lanes)
    offsets.push_back(indices.getOffset(memory, lane));
  int64_t first = access.present.find_first();
  bool contiguous = true;
  for (int64_t lane : access.present.set_bits())
    contiguous &= offsets[lane] == offsets[first] + (lane - first);
  bool uniform =
      access.present.count() == lanes.size() && access.isAllOrNothing();
  if (uniform && llvm::all_equal(offsets)) {
    access.kind = Access::Broadcast;
    access.offsets = {offsets.front()};
  } else if (contiguous) {
    access.kind = Access::Contiguous;
    access.offsets = {offsets[first] - first};
  } else {
    access.kind = Access::Scattered;
    access.offsets = std::move(offsets);
    findRepeated(access);
  }
  if (memory.values)
    findNumbers(memory, access);
  return access;
}

/// Elements of a constant at offsets that are known are numbers.
void KernelLowering::findNumbers(const Memory &memory, Access &access) {
  auto isKnown = [](const LinearForm &form) { return form.isConstant(); };
  if (!access.conditions.empty() || !llvm::all_of(access.offsets, isKnown))
    return;
  auto values = memory.values.getValues<float>();
  if (access.kind == Access::Broadcast) {
    access.numbers = {values[access.offsets.front().constant]};
  } else {
    for (unsigned lane = 0; lane < access.present.size(); ++lane) {
      int64_t offset = access.kind == Access::Contiguous
                           ? access.offsets.front().constant + lane
                           : access.offsets[lane].constant;
      access.numbers.push_back(access.present[lane] ? values[offset] : 0);
    }
  }
  if (llvm::all_of(access.numbers, [](float number) { return number == 0; }))
    access.kind = Access::Nothing;
}

/// A table of its numbers, for elements that only run time finds.
Memory KernelLowering::describe(ConstantOp op) {
  auto values = cast<DenseElementsAttr>(op.getValues());
  auto module = kernel->getParentOfType<ModuleOp>();
  auto globals = module.getOps<LLVM::GlobalOp>();
  std::string name =
      ("sparkle.table." + Twine(std::distance(globals.begin(), globals.end())))
          .str();
  {
    OpBuilder::InsertionGuard guard(code);
    code.setInsertionPointToStart(module.getBody());
    Type type = LLVM::LLVMArrayType::get(code.getF32Type(), values.size());
    LLVM::GlobalOp::create(code, code.loc, type, /*isConstant=*/true,
                           LLVM::Linkage::Private, name,
                           values.reshape(RankedTensorType::get(
                               values.size(), code.getF32Type())));
  }
  Memory memory = describe(
      op.getType(), op.getType().getStaticExtents(0),
      LLVM::AddressOfOp::create(code, code.loc, code.pointerType(), name));
  memory.values = values;
  return memory;
}

//===----------------------------------------------------------------------===//
// Loads and stores
//===----------------------------------------------------------------------===//

/// What run time must find true of one lane, or of all if none is given; null
/// if nothing.
Value KernelLowering::getCondition(const Access &access,
                                   std::optional<unsigned> lane) {
  Value all;
  for (const auto &forms : access.conditions) {
    bool isShared = forms.size() == 1;
    if (!lane && !isShared)
      continue;
    Value form = indices.materialise(forms[isShared ? 0 : *lane]);
    all = code.both(all,
                    code.compare(LLVM::ICmpPredicate::sge, form, code.i64(0)));
  }
  return all;
}

/// The lanes whose form is not negative.
Value KernelLowering::getNonNegative(ArrayRef<LinearForm> forms) {
  auto getConstant = [&](ArrayRef<int64_t> values, Type element) -> Value {
    auto type = VectorType::get(values.size(), element);
    return LLVM::ConstantOp::create(
        code, code.loc,
        DenseElementsAttr::get(
            type, llvm::map_to_vector(values, [&](int64_t value) {
              return APInt(element.getIntOrFloatBitWidth(), value,
                           /*isSigned=*/true);
            })));
  };
  constexpr int64_t kMost = int64_t(1) << 30;
  auto least = llvm::map_to_vector(
      forms, [](const LinearForm &form) { return -form.constant; });
  bool areNear = llvm::all_of(
      least, [&](int64_t value) { return -kMost < value && value < kMost; });
  // Lanes of 32 bits, as elements have, take one comparison.
  if (std::optional<LinearForm> common = getCommonTerms(forms);
      common && areNear) {
    Value clamped =
        code.max(code.min(indices.materialise(*common), code.i64(kMost)),
                 code.i64(-kMost));
    Value narrow =
        LLVM::TruncOp::create(code, code.loc, code.getI32Type(), clamped);
    return code.compare(LLVM::ICmpPredicate::sge,
                        code.broadcast(narrow, forms.size()),
                        getConstant(least, code.getI32Type()));
  }
  SmallVector<int64_t> zeros(forms.size(), 0);
  Value zero = getConstant(zeros, code.getI64Type()), values = zero;
  for (auto [lane, form] : llvm::enumerate(forms))
    values = code.insert(values, indices.materialise(form), lane);
  return code.compare(LLVM::ICmpPredicate::sge, values, zero);
}

/// The lanes of a contiguous access that are touched where what all of them
/// share is true; null if all are.
Value KernelLowering::getMask(const Access &access) {
  Value all;
  if (!access.present.all())
    all = code.mask(access.present);
  for (const auto &forms : access.conditions)
    if (forms.size() > 1) {
      // Lanes that fill up a vector are as the last.
      SmallVector<LinearForm> lanes(forms.begin(), forms.end());
      lanes.resize(access.present.size(), forms.back());
      all = code.both(all, getNonNegative(lanes));
    }
  return all;
}

/// Bytes of zero to read instead of what is not there.
Value KernelLowering::getZeros(int64_t bytes) {
  auto module = kernel->getParentOfType<ModuleOp>();
  std::string name = "sparkle.zeros." + std::to_string(bytes);
  if (!module.lookupSymbol(name)) {
    OpBuilder::InsertionGuard guard(code);
    code.setInsertionPointToStart(module.getBody());
    auto type = VectorType::get(bytes, code.getI8Type());
    LLVM::GlobalOp::create(code, code.loc, type, /*isConstant=*/true,
                           LLVM::Linkage::Private, name,
                           code.getZeroAttr(type));
  }
  return LLVM::AddressOfOp::create(code, code.loc, code.pointerType(), name);
}

/// Loads from an offset where `condition` holds, else zeros: so a read outside
/// of a tensor needs no branch, and touches nothing. A mask alone would not do:
/// a load of no lane takes hundreds of cycles where the page is not mapped.
Value KernelLowering::loadGuarded(Type type, const Memory &memory,
                                  const LinearForm &offset, Value condition,
                                  Value mask) {
  Value address = getAddress(memory, offset);
  auto vector = dyn_cast<VectorType>(type);
  if (condition) {
    int64_t bits = memory.element.getIntOrFloatBitWidth() *
                   (vector ? vector.getNumElements() : 1);
    address = code.select(condition, address, getZeros(bits / 8));
  }
  return mask ? code.loadMasked(vector, address, mask)
              : code.load(type, address);
}

/// Whether lanes that permute a window stay in their blocks, alike in all of
/// them: that is one instruction, with the load.
static bool permutesBlocks(ArrayRef<int32_t> places) {
  for (auto [lane, place] : llvm::enumerate(places))
    if (place / kBlock != int64_t(lane) / kBlock ||
        place % kBlock != places[lane % kBlock])
      return false;
  return true;
}

/// A mask of these lanes. AVX-512 broadcasts under one from memory, if LLVM
/// does not know what is in it: of a constant it makes a permutation. So each
/// is made once for a worker.
Value KernelLowering::getBlendMask(const llvm::SmallBitVector &lanes) {
  // What is hidden is a number of as many bits as lanes, and so in a register.
  if (width <= 8 || !llvm::isPowerOf2_64(lanes.size()))
    return code.mask(lanes);
  Value &mask = masks[{scratch, lanes}];
  if (!mask) {
    OpBuilder::InsertionGuard guard(code);
    code.setInsertionPointToStart(scratch);
    mask = code.hiddenMask(lanes);
  }
  return mask;
}

/// From a window in one piece; or each element on its own, where they are few.
Value KernelLowering::loadRepeated(const Memory &memory, const Access &access) {
  auto lanes = static_cast<int64_t>(access.present.size());
  const LinearForm &first = access.offsets[access.present.find_first()];
  Value condition = getCondition(access);
  int64_t window = access.windowEnd - access.windowBegin;
  // Where in the window; of lanes that are not there, any.
  SmallVector<int32_t> places(lanes, 0);
  llvm::MapVector<int64_t, llvm::SmallBitVector> users;
  for (unsigned lane : access.present.set_bits()) {
    int64_t distance = (access.offsets[lane] - first).constant;
    places[lane] = distance - access.windowBegin;
    users[distance].resize(lanes);
    users[distance].set(lane);
  }
  auto shuffle = [&](Value a, Value b, ArrayRef<int32_t> from) {
    return LLVM::ShuffleVectorOp::create(code, code.loc, a, b, from);
  };
  if (window && (users.size() > kMostRepeated || permutesBlocks(places))) {
    // A mask where it is no vector that processors have.
    bool isWhole = llvm::isPowerOf2_64(window);
    int64_t loaded = isWhole ? window : lanes;
    llvm::SmallBitVector wanted(loaded);
    wanted.set(0, window);
    auto type = VectorType::get(loaded, memory.element);
    Value from = loadGuarded(type, memory, first + access.windowBegin,
                             condition, isWhole ? Value() : code.mask(wanted));
    for (int64_t lane = 0; lane < lanes; ++lane)
      if (!access.present[lane])
        places[lane] = loaded;
    return shuffle(from, code.zero(type), places);
  }
  // Where all lanes are there, the first element goes to all of them.
  Value vector;
  if (!access.present.all())
    vector = code.zero(VectorType::get(lanes, memory.element));
  for (auto &[distance, wanted] : users) {
    Value element = code.broadcast(
        loadGuarded(memory.element, memory, first + distance, condition),
        lanes);
    vector =
        vector ? code.select(getBlendMask(wanted), element, vector) : element;
  }
  return vector;
}

/// Elements as they are stored.
Value KernelLowering::loadStored(const Memory &memory, const Access &access) {
  int64_t lanes = access.present.size();
  if (access.numbers.size() == 1)
    return code.splat(access.numbers.front(), lanes);
  if (!access.numbers.empty())
    return LLVM::ConstantOp::create(
        code, code.loc,
        DenseElementsAttr::get(code.vectorType(lanes),
                               ArrayRef<float>(access.numbers)));
  Type element = memory.element;
  auto type = VectorType::get(lanes, element);
  switch (access.kind) {
  case Access::Nothing:
    return code.zero(type);
  case Access::Broadcast: {
    Value scalar = loadGuarded(element, memory, access.offsets.front(),
                               getCondition(access, 0));
    return code.broadcast(scalar, lanes);
  }
  case Access::Contiguous:
    return loadGuarded(type, memory, access.offsets.front(),
                       getCondition(access), getMask(access));
  case Access::Repeated:
    return loadRepeated(memory, access);
  case Access::Scattered: {
    Value vector = code.zero(type);
    for (unsigned lane : access.present.set_bits()) {
      Value scalar = loadGuarded(element, memory, access.offsets[lane],
                                 getCondition(access, lane));
      vector = code.insert(vector, scalar, lane);
    }
    return vector;
  }
  }
  llvm_unreachable("every kind is listed");
}

/// Elements as f32.
Value KernelLowering::load(const Memory &memory, const Access &access) {
  if (memory.element.isF32())
    return loadStored(memory, access);
  if (access.kind == Access::Nothing)
    return code.splat(0, access.present.size());
  return code.widen(loadStored(memory, access));
}

/// If a contiguous access is to the first lanes of a vector whatever run time
/// finds: how many. 0 if not.
static int64_t countFirst(const Access &access) {
  int64_t count = access.present.count();
  bool isFirst =
      access.conditions.empty() && access.present.find_last() + 1 == count;
  return isFirst ? count : 0;
}

void KernelLowering::store(const Memory &memory, const Access &access,
                           Value vector) {
  if (!memory.element.isF32())
    vector = code.narrow(vector);
  if (access.kind == Access::Contiguous) {
    Value address = getAddress(memory, access.offsets.front());
    // A store under a mask of AVX takes 14 cycles on Zen 3, and the few plain
    // ones that do for the first lanes one each. AVX-512 has registers for
    // masks, which cost nothing on Zen 4; a half or a quarter needs none.
    int64_t lanes = access.present.size(), count = countFirst(access);
    bool isPlain = count == lanes || llvm::isPowerOf2_64(count) || width <= 8;
    if (count && isPlain)
      return code.store(code.resize(vector, count), address);
    Value mask = getMask(access);
    if (Value condition = getCondition(access))
      mask = code.both(mask, code.broadcast(condition, lanes));
    return code.storeMasked(vector, address, mask);
  }
  // Distinct lanes have distinct elements: a broadcast has one lane.
  for (unsigned lane : access.present.set_bits()) {
    const LinearForm &offset =
        access.offsets[access.kind == Access::Broadcast ? 0 : lane];
    Value scalar = code.extract(vector, lane);
    Value address = getAddress(memory, offset);
    if (Value condition = getCondition(access, lane))
      code.storeMasked(code.broadcast(scalar, 1), address,
                       code.broadcast(condition, 1));
    else
      code.store(scalar, address);
  }
}

size_t countNeighbours(ArrayRef<Access> accesses) {
  const Access &first = accesses.front();
  size_t lanes = first.present.size(), count = 1;
  auto isPlain = [](const Access &access) {
    return access.kind == Access::Scattered && access.conditions.empty();
  };
  if (!isPlain(first) || !canTranspose(lanes))
    return 1;
  auto follows = [&](const Access &access) {
    if (!isPlain(access) || access.present != first.present)
      return false;
    for (auto [a, b] : llvm::zip(first.offsets, access.offsets))
      if (!(b == a + count))
        return false;
    return true;
  };
  while (count < std::min(lanes, accesses.size()) && follows(accesses[count]))
    ++count;
  return count;
}

/// The first `count` elements of a block.
Value KernelLowering::loadBlock(const Memory &memory, const LinearForm &offset,
                                int64_t count) {
  Value part = code.load(VectorType::get(count, memory.element),
                         getAddress(memory, offset));
  return code.resize(memory.element.isF32() ? part : code.widen(part), kBlock);
}

/// Loads `count` vectors, whose lanes are scattered as `first` says, each next
/// to the one before: so what is one vector per lane is contiguous. That is
/// loaded in blocks, which go to their places as they come from memory.
SmallVector<Value> KernelLowering::loadTransposed(const Memory &memory,
                                                  const Access &first,
                                                  int64_t count) {
  int64_t lanes = first.present.size();
  SmallVector<Value> columns;
  for (int64_t column = 0; column < count; column += kBlock) {
    SmallVector<Value> rows;
    for (int64_t row = 0; row < kBlock; ++row) {
      SmallVector<Value> blocks;
      for (int64_t lane = row; lane < lanes; lane += kBlock)
        blocks.push_back(first.present[lane]
                             ? loadBlock(memory, first.offsets[lane] + column,
                                         std::min(kBlock, count - column))
                             : code.splat(0, kBlock));
      rows.push_back(code.concatenate(blocks));
    }
    llvm::append_range(columns, transposeBlocks(code, rows));
  }
  columns.truncate(count);
  return columns;
}

/// The sum of as many such vectors as they have lanes.
Value KernelLowering::loadAcross(const Memory &memory, const Access &first) {
  auto lanes = static_cast<int64_t>(first.present.size());
  SmallVector<Value> rows;
  for (int64_t lane = 0; lane < lanes; ++lane) {
    if (!first.present[lane]) {
      rows.push_back(code.splat(0, lanes));
      continue;
    }
    Value row = code.load(VectorType::get(lanes, memory.element),
                          getAddress(memory, first.offsets[lane]));
    rows.push_back(memory.element.isF32() ? row : code.widen(row));
  }
  return addAcross(code, rows);
}

/// Stores vectors that lie in such a way.
void KernelLowering::storeTransposed(const Memory &memory, const Access &first,
                                     ArrayRef<Value> vectors) {
  SmallVector<Value> columns = transpose(code, vectors);
  Access row;
  row.kind = Access::Contiguous;
  row.present.resize(first.present.size());
  row.present.set(0, vectors.size());
  for (unsigned lane : first.present.set_bits()) {
    row.offsets = {first.offsets[lane]};
    store(memory, row, columns[lane]);
  }
}

} // namespace sparkle::cpu
