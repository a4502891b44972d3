// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Plain loops over the packed weight in the order of memory, and in each over
// the elements of the source that the matrix multiplies.

#include "lib/Compiler/PackTransform.h"
#include "lib/Reference/Sizes.h"
#include "lib/Target/TiledIndices.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace sparkle {
namespace {

/// Builds the function of one weight.
class PackBuilder {
public:
  PackBuilder(PackOp pack, ImplicitLocOpBuilder &builder)
      : b(builder), transform(pack.getSource().getDefiningOp<TransformOp>()),
        type(pack.getType()), source(transform.getSource().getType()),
        matrix(transform.getMatrix().getShapedType()) {}

  void build(StringRef name);

private:
  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, value);
  }
  Value status(int64_t value) {
    return arith::ConstantOp::create(b, b.getI32IntegerAttr(value));
  }
  Value add(Value x, Value y) { return arith::AddIOp::create(b, x, y); }
  Value multiply(Value x, int64_t y) {
    return arith::MulIOp::create(b, x, index(y));
  }
  Value getElement(Type element, Value pointer, Value offset) {
    Value wide = arith::IndexCastOp::create(b, b.getI64Type(), offset);
    return LLVM::GEPOp::create(b, pointer.getType(), element, pointer,
                               ArrayRef<LLVM::GEPArg>{wide});
  }
  Value getOffset(StoredTensorType type, ValueRange coordinates);
  Value addTable(StringRef name);
  void packAll(SmallVector<Value> &physical);
  void packElement(ArrayRef<Value> physical);
  Value sumTaps(ArrayRef<Value> coordinates, unsigned number, Value factor,
                SmallVector<Value> &taps, Value sum);

  ImplicitLocOpBuilder &b;
  TransformOp transform;
  StoredTensorType type, source;
  ShapedType matrix;
  Value from, to, table;
};

} // namespace

/// The matrix in memory, row by row.
Value PackBuilder::addTable(StringRef name) {
  OpBuilder::InsertionGuard guard(b);
  auto function = cast<LLVM::LLVMFuncOp>(b.getInsertionBlock()->getParentOp());
  b.setInsertionPoint(function);
  Type array =
      LLVM::LLVMArrayType::get(b.getF64Type(), matrix.getNumElements());
  std::string symbol = (name + ".matrix").str();
  auto rows = cast<DenseElementsAttr>(transform.getMatrix());
  LLVM::GlobalOp::create(b, array, /*isConstant=*/true, LLVM::Linkage::Private,
                         symbol,
                         rows.reshape(RankedTensorType::get(
                             matrix.getNumElements(), b.getF64Type())));
  b.setInsertionPointToStart(&function.getBody().front());
  return LLVM::AddressOfOp::create(
      b, LLVM::LLVMPointerType::get(b.getContext()), symbol);
}

void PackBuilder::build(StringRef name) {
  OpBuilder::InsertionGuard guard(b);
  auto pointer = LLVM::LLVMPointerType::get(b.getContext());
  auto function = LLVM::LLVMFuncOp::create(
      b, name, LLVM::LLVMFunctionType::get(b.getI32Type(), {pointer, pointer}));
  b.setInsertionPointToStart(function.addEntryBlock(b));
  table = addTable(name);
  b.setInsertionPointToEnd(&function.getBody().front());
  from = function.getArgument(0);
  to = function.getArgument(1);
  Value null = LLVM::ZeroOp::create(b, pointer);
  Value missing = arith::OrIOp::create(
      b, LLVM::ICmpOp::create(b, LLVM::ICmpPredicate::eq, from, null),
      LLVM::ICmpOp::create(b, LLVM::ICmpPredicate::eq, to, null));
  auto checked = scf::IfOp::create(b, b.getI32Type(), missing, true);
  LLVM::ReturnOp::create(b, checked.getResult(0));
  b.setInsertionPointToStart(checked.thenBlock());
  scf::YieldOp::create(b, status(1));
  b.setInsertionPointToStart(checked.elseBlock());
  SmallVector<Value> physical;
  packAll(physical);
  scf::YieldOp::create(b, status(0));
}

/// A loop along each physical dimension from `physical.size()` on.
void PackBuilder::packAll(SmallVector<Value> &physical) {
  SmallVector<int64_t> shape = type.getPhysicalShape();
  if (physical.size() == shape.size())
    return packElement(physical);
  auto loop =
      scf::ForOp::create(b, index(0), index(shape[physical.size()]), index(1));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(loop.getBody()->getTerminator());
  physical.push_back(loop.getInductionVar());
  packAll(physical);
  physical.pop_back();
}

Value PackBuilder::getOffset(StoredTensorType type, ValueRange coordinates) {
  Value offset = index(0);
  for (auto [factor, stride] : llvm::zip_equal(type.getLayout().getResults(),
                                               type.getPhysicalStrides()))
    offset = add(offset, multiply(expand(b, factor, coordinates, {}), stride));
  return offset;
}

/// Zero beyond the extents, as in every packed weight.
void PackBuilder::packElement(ArrayRef<Value> physical) {
  Type f64 = b.getF64Type();
  SmallVector<Value> coordinates(type.getRank(), index(0));
  Value place = index(0);
  for (auto [expr, stride, at] :
       llvm::zip_equal(type.getLayout().getResults(), type.getPhysicalStrides(),
                       physical)) {
    place = add(place, multiply(at, stride));
    auto [dim, divisor] = getFactor(expr);
    coordinates[dim] = add(coordinates[dim], multiply(at, divisor));
  }
  Value inside = arith::ConstantOp::create(b, b.getBoolAttr(true));
  for (auto [coordinate, extent] : llvm::zip(coordinates, type.getShape()))
    inside = arith::AndIOp::create(
        b, inside,
        arith::CmpIOp::create(b, arith::CmpIPredicate::slt, coordinate,
                              index(extent)));
  Value zero = arith::ConstantOp::create(b, b.getF64FloatAttr(0));
  auto result = scf::IfOp::create(b, f64, inside, true);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(result.elseBlock());
    scf::YieldOp::create(b, zero);
    b.setInsertionPointToStart(result.thenBlock());
    Value one = arith::ConstantOp::create(b, b.getF64FloatAttr(1));
    SmallVector<Value> taps(coordinates);
    scf::YieldOp::create(b, sumTaps(coordinates, 0, one, taps, zero));
  }
  Value rounded =
      arith::TruncFOp::create(b, b.getF32Type(), result.getResult(0));
  LLVM::StoreOp::create(b, rounded, getElement(b.getF32Type(), to, place));
}

/// sum + the taps along the transformed dimensions from `number` on, each times
/// its element of the matrix and `factor`.
Value PackBuilder::sumTaps(ArrayRef<Value> coordinates, unsigned number,
                           Value factor, SmallVector<Value> &taps, Value sum) {
  Type f64 = b.getF64Type();
  if (number == transform.getDims().size()) {
    Value element = LLVM::LoadOp::create(
        b, b.getF32Type(),
        getElement(b.getF32Type(), from, getOffset(source, taps)));
    element = arith::ExtFOp::create(b, f64, element);
    return arith::AddFOp::create(b, sum,
                                 arith::MulFOp::create(b, element, factor));
  }
  int64_t dim = transform.getDims()[number], columns = matrix.getDimSize(1);
  auto loop = scf::ForOp::create(b, index(0), index(columns), index(1),
                                 ValueRange{sum});
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value place =
      add(multiply(coordinates[dim], columns), loop.getInductionVar());
  Value own = LLVM::LoadOp::create(b, f64, getElement(f64, table, place));
  taps[dim] = loop.getInductionVar();
  Value next =
      sumTaps(coordinates, number + 1, arith::MulFOp::create(b, factor, own),
              taps, loop.getRegionIterArg(0));
  scf::YieldOp::create(b, next);
  return loop.getResult(0);
}

void buildTransformedPacks(KernelOp kernel, StringRef prefix,
                           ModuleOp functions) {
  ImplicitLocOpBuilder b(kernel.getLoc(), functions.getBodyRegion());
  b.setInsertionPointToEnd(functions.getBody());
  for (PackOp pack : kernel.getBody().getOps<PackOp>())
    if (pack.getSource().getDefiningOp<TransformOp>())
      PackBuilder(pack, b).build((prefix + pack.getWeight().getName()).str());
}

} // namespace sparkle
