// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Counts the terms of a sum that lie inside of all tensors they read. Indices
// that no condition ties together are counted apart and multiplied: for a
// convolution that is one small loop per spatial dimension.

#include "lib/Reference/Reference.h"
#include "lib/Reference/Sizes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/EquivalenceClasses.h"

using namespace mlir;

namespace sparkle {
namespace {

/// 0 <= coordinate < extent, for the indices of an equation and the sizes.
struct Condition {
  AffineExpr coordinate, extent;
};

/// Builds the count of one equation.
class Counter {
public:
  Counter(ImplicitLocOpBuilder &builder, DefineOp define, ValueRange sizes);

  /// Operations of the sum: those of a term and its addition, times terms. What
  /// a table multiplies, which the algorithm never has, changes a basis:
  /// neither the products with it count nor the indices that it sums over.
  Value count();

private:
  using Classes = llvm::EquivalenceClasses<unsigned>;
  Classes tieIndices();
  Value countPoints(ArrayRef<unsigned> members);
  Value countInside(ArrayRef<unsigned> rest, ArrayRef<Condition> conditions);
  Value isInside(ArrayRef<Condition> conditions);
  int64_t operationsOfTerm();
  bool isOfBasis(unsigned index);

  Value number(int64_t value) {
    return arith::ConstantIndexOp::create(b, value);
  }

  ImplicitLocOpBuilder &b;
  DefineOp define;
  ValueRange sizes;
  SmallVector<Condition> conditions;
  SmallVector<Value> indices;
  /// What is read of tables.
  SmallVector<ReadOp> tables;
};

/// The conditions under which a term counts, without those that always hold.
Counter::Counter(ImplicitLocOpBuilder &builder, DefineOp define,
                 ValueRange sizes)
    : b(builder), define(define), sizes(sizes),
      indices(define.getIndices().size()) {
  define.getSum().walk([&](ReadOp read) {
    if (read.getTensor().getDefiningOp<ConstantOp>())
      tables.push_back(read);
    auto tensor = read.getTensor().getDefiningOp<TensorOp>();
    if (!tensor)
      return; // A weight in another basis, which is read as a whole.
    for (auto [coordinate, extent] : llvm::zip_equal(
             read.getMap().getResults(), tensor.getExtents().getResults())) {
      auto dim = dyn_cast<AffineDimExpr>(coordinate);
      if (!dim || define.getExtents().getResult(dim.getPosition()) != extent)
        conditions.push_back({coordinate, extent});
    }
  });
}

Counter::Classes Counter::tieIndices() {
  Classes classes;
  for (unsigned index = 0; index < indices.size(); ++index)
    classes.insert(index);
  for (const Condition &condition : conditions) {
    std::optional<unsigned> first;
    for (unsigned index = 0; index < indices.size(); ++index) {
      if (!condition.coordinate.isFunctionOfDim(index))
        continue;
      classes.unionSets(first.value_or(index), index);
      first = index;
    }
  }
  return classes;
}

int64_t Counter::operationsOfTerm() {
  int64_t operations = 1 - int64_t(tables.size()); // the addition
  define.getSum().walk([&](Operation *op) {
    if (!isa<ReadOp, SumOp, YieldOp, arith::ConstantOp>(op))
      ++operations;
  });
  return operations;
}

bool Counter::isOfBasis(unsigned index) {
  return index >= define.getNumOutputs() &&
         llvm::any_of(tables, [&](ReadOp read) {
           return read.getMap().isFunctionOfDim(index);
         });
}

Value Counter::count() {
  auto sums = llvm::seq<unsigned>(define.getNumOutputs(), indices.size());
  if (!tables.empty() &&
      llvm::all_of(sums, [&](unsigned index) { return isOfBasis(index); }))
    return number(0);
  Value product = number(operationsOfTerm());
  Classes classes = tieIndices();
  for (const auto &leader : classes) {
    if (!leader->isLeader())
      continue;
    SmallVector<unsigned> members(classes.member_begin(*leader),
                                  classes.member_end());
    if (llvm::all_of(members, [&](unsigned index) { return isOfBasis(index); }))
      continue;
    product = arith::MulIOp::create(b, product, countPoints(members));
  }
  return product;
}

/// The points of some indices that satisfy all conditions on them.
Value Counter::countPoints(ArrayRef<unsigned> members) {
  SmallVector<Condition> own;
  for (const Condition &condition : conditions)
    if (llvm::any_of(members, [&](unsigned index) {
          return condition.coordinate.isFunctionOfDim(index);
        }))
      own.push_back(condition);
  if (own.empty()) {
    assert(members.size() == 1 && "nothing else ties indices together");
    AffineExpr extent = define.getExtents().getResult(members.front());
    return expand(b, extent, {}, sizes);
  }
  return countInside(members, own);
}

/// One loop for each of `rest`, with the points inside of it counted.
Value Counter::countInside(ArrayRef<unsigned> rest,
                           ArrayRef<Condition> conditions) {
  if (rest.empty())
    return arith::SelectOp::create(b, isInside(conditions), number(1),
                                   number(0));
  AffineExpr extent = define.getExtents().getResult(rest.front());
  auto loop = scf::ForOp::create(b, number(0), expand(b, extent, {}, sizes),
                                 number(1), ValueRange{number(0)});
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  indices[rest.front()] = loop.getInductionVar();
  Value inner = countInside(rest.drop_front(), conditions);
  Value total = arith::AddIOp::create(b, loop.getRegionIterArg(0), inner);
  scf::YieldOp::create(b, total);
  return loop.getResult(0);
}

Value Counter::isInside(ArrayRef<Condition> conditions) {
  SmallVector<Value> dims(indices);
  for (Value &dim : dims)
    if (!dim)
      dim = number(0); // no condition here depends on it
  Value inside = arith::ConstantOp::create(b, b.getBoolAttr(true));
  for (const Condition &condition : conditions) {
    // As unsigned numbers, negative ones are larger than any extent.
    Value within =
        arith::CmpIOp::create(b, arith::CmpIPredicate::ult,
                              expand(b, condition.coordinate, dims, sizes),
                              expand(b, condition.extent, {}, sizes));
    inside = arith::AndIOp::create(b, inside, within);
  }
  return inside;
}

/// Of all sums of a kernel.
Value countAll(KernelOp kernel, ImplicitLocOpBuilder &b, ValueRange sizes) {
  Value total = arith::ConstantIndexOp::create(b, 0);
  for (DefineOp define : kernel.getBody().getOps<DefineOp>())
    if (define.getSum())
      total =
          arith::AddIOp::create(b, total, Counter(b, define, sizes).count());
  return total;
}

void buildOne(KernelOp kernel, StringRef name, ModuleOp module) {
  ImplicitLocOpBuilder builder(kernel.getLoc(), module.getBodyRegion());
  builder.setInsertionPointToEnd(module.getBody());
  buildCount(
      builder, kernel, (name + ".operation_count").str(),
      [&](ValueRange sizes) { return countAll(kernel, builder, sizes); });
}

} // namespace

void buildOperationCounts(ModuleOp algorithm, ModuleOp module) {
  for (KernelOp kernel : algorithm.getOps<KernelOp>())
    buildOne(kernel, kernel.getSymName(), module);
}

void buildRewrittenCount(KernelOp kernel, StringRef name, ModuleOp module) {
  if (!kernel.getBody().getOps<ConstantOp>().empty())
    buildOne(kernel, name, module);
}

} // namespace sparkle
