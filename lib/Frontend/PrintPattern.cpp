// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A pattern back to text. Every index and tensor is spelled out, so that what
// is printed does not lean on what a line means where it leaves one out.

#include "dialect/SparkleDialect.h"
#include "lib/Frontend/Frontend.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace sparkle;

namespace {

class PatternPrinter {
public:
  PatternPrinter(DefineOp define, llvm::raw_ostream &out)
      : define(define), out(out), rank(define.getNumOutputs()) {
    for (Attribute index : define.getIndices())
      indices.push_back(cast<StringAttr>(index).getValue());
  }

  void printLines(PatternAttr pattern);

private:
  void printSizes(StringRef keyword, DenseI64ArrayAttr sizes, unsigned first,
                  unsigned last);
  void printShared(StringRef keyword, DenseI64ArrayAttr sizes);
  void printNear(PatternAttr pattern);
  void printStaged(PatternAttr pattern);
  bool isTemp(StringRef name);
  void printOrder(DenseI64ArrayAttr order);
  void printNames(ArrayAttr names);
  void printPrefetch(DictionaryAttr prefetch);
  void printSize(int64_t size);
  llvm::raw_ostream &begin(StringRef keyword) {
    return out << "\n  " << llvm::left_justify(keyword, 9) << ' ';
  }

  DefineOp define;
  llvm::raw_ostream &out;
  unsigned rank; // of the left side
  SmallVector<StringRef> indices;
};

} // namespace

void PatternPrinter::printLines(PatternAttr pattern) {
  StringAttr transform = pattern.getTransform();
  if (transform && transform != "none") {
    begin("transform") << transform.getValue();
    return;
  }
  if (pattern.getMerge()) {
    begin("merge");
    printNames(pattern.getMerge());
  }
  printShared("workers", pattern.getWorkers());
  printNear(pattern);
  printSizes("registers", pattern.getRegisters(), 0, rank);
  printShared("lanes", pattern.getLanes());
  // Nothing can be said of the sum of an equation without one.
  if (rank < indices.size())
    printSizes("unroll", pattern.getUnroll(), rank, indices.size());
  printOrder(pattern.getOrder());
  begin("prefetch");
  printPrefetch(pattern.getPrefetch());
  begin("overlap");
  printNames(pattern.getOverlap());
  if (pattern.getTransform())
    begin("transform") << pattern.getTransform().getValue();
}

void PatternPrinter::printSizes(StringRef keyword, DenseI64ArrayAttr sizes,
                                unsigned first, unsigned last) {
  begin(keyword);
  if (!sizes) {
    out << "auto";
    return;
  }
  llvm::interleaveComma(llvm::seq(first, last), out, [&](unsigned index) {
    out << indices[index] << ": ";
    printSize(sizes[index]);
  });
}

/// The left side, and of the sum what is divided or has lanes.
void PatternPrinter::printShared(StringRef keyword, DenseI64ArrayAttr sizes) {
  printSizes(keyword, sizes, 0, rank);
  for (unsigned index = rank; sizes && index < indices.size(); ++index)
    if (sizes[index] != 1) {
      out << ", " << indices[index] << ": ";
      printSize(sizes[index]);
    }
}

void PatternPrinter::printSize(int64_t size) {
  if (size == kAuto)
    out << "auto";
  else if (size == kAll)
    out << "all";
  else
    out << size;
}

void PatternPrinter::printNear(PatternAttr pattern) {
  if (rank < indices.size()) {
    printSizes("near", pattern.getNear(), rank, indices.size());
    out << ", stage ";
  } else {
    begin("near") << "stage ";
  }
  printStaged(pattern);
}

/// What is copied, then what is computed. A temp that is copied says so.
void PatternPrinter::printStaged(PatternAttr pattern) {
  ArrayAttr copied = pattern.getStage(), fused = pattern.getFuse();
  if (!copied) {
    out << "auto";
    return;
  }
  SmallVector<std::string> names;
  for (Attribute attr : copied) {
    StringRef name = cast<StringAttr>(attr).getValue();
    names.push_back((name + (isTemp(name) ? ": copy" : "")).str());
  }
  for (Attribute attr : fused ? fused.getValue() : ArrayRef<Attribute>())
    names.push_back(cast<StringAttr>(attr).str());
  out << (names.empty() ? "none" : llvm::join(names, ", "));
}

bool PatternPrinter::isTemp(StringRef name) {
  return llvm::any_of(
      define->getParentOfType<KernelOp>().getTensors(), [&](TensorOp tensor) {
        return tensor.getName() == name && tensor.getRole() == Role::Temp;
      });
}

void PatternPrinter::printOrder(DenseI64ArrayAttr order) {
  begin("order");
  if (order)
    llvm::interleaveComma(order.asArrayRef(), out,
                          [&](int64_t position) { out << indices[position]; });
  else
    out << "auto";
}

void PatternPrinter::printNames(ArrayAttr names) {
  if (!names)
    out << "auto";
  else if (names.empty())
    out << "none";
  else
    llvm::interleaveComma(names, out, [&](Attribute name) {
      out << cast<StringAttr>(name).getValue();
    });
}

void PatternPrinter::printPrefetch(DictionaryAttr prefetch) {
  if (!prefetch)
    out << "auto";
  else if (prefetch.empty())
    out << "none";
  else
    llvm::interleaveComma(prefetch, out, [&](NamedAttribute steps) {
      out << steps.getName().getValue() << ": ";
      printSize(cast<IntegerAttr>(steps.getValue()).getInt());
    });
}

void sparkle::printPattern(DefineOp define, StringRef word,
                           llvm::raw_ostream &out) {
  auto kernel = define->getParentOfType<KernelOp>();
  auto tensor = define.getTarget().getDefiningOp<TensorOp>();
  // What the compiler added follows from the equation that asked for it.
  if (tensor.getName().contains('.'))
    return;
  auto equation = define->getAttrOfType<StringAttr>(kEquationAttr);
  out << "pattern resolved for " << kernel.getSymName() << '.'
      << (equation ? equation.getValue() : tensor.getName()) << " on " << word
      << " {";
  PatternAttr pattern = define.getPatternAttr();
  auto notes = define->getAttrOfType<ArrayAttr>(kNotesAttr);
  if (notes && !(pattern && pattern.getTransform()))
    for (auto line : notes.getAsRange<StringAttr>())
      out << "\n  // " << line.getValue();
  PatternPrinter(define, out)
      .printLines(pattern
                      ? pattern
                      : PatternAttr::get(define.getContext(), {}, {}, {}, {},
                                         {}, {}, {}, {}, {}, {}, {}, {}));
  out << "\n}\n";
}
