// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Verifiers of the sparkle attributes.

#include "dialect/SparkleDialect.h"

using namespace mlir;
using namespace sparkle;

PatternAttr PatternAttr::withWorkers(ArrayRef<int64_t> workers) const {
  return get(getContext(), DenseI64ArrayAttr::get(getContext(), workers),
             getNear(), getStage(), getRegisters(), getLanes(), getUnroll(),
             getOrder(), getPrefetch(), getOverlap(), getFuse(), getTransform(),
             getMerge());
}

LogicalResult TargetAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                 StringRef word, int64_t lanes, int64_t vectors,
                                 int64_t fmaLatency, int64_t nearBytes,
                                 int64_t closeBytes, bool, bool, int64_t cores,
                                 int64_t nearRead, int64_t nearWidth,
                                 int64_t unitLanes) {
  if (word.empty())
    return emitError() << "expected the word of a target, but got ''";
  std::pair<StringRef, int64_t> positive[] = {{"lanes", lanes},
                                              {"vectors", vectors},
                                              {"fma_latency", fmaLatency},
                                              {"near_bytes", nearBytes},
                                              {"cores", cores},
                                              {"near_read", nearRead},
                                              {"near_width", nearWidth},
                                              {"unit_lanes", unitLanes}};
  for (auto [name, value] : positive)
    if (value <= 0)
      return emitError() << "expected a positive '" << name << "', but got "
                         << value;
  if (closeBytes < 0)
    return emitError() << "expected 'close_bytes' of 0 or more, but got "
                       << closeBytes;
  return success();
}
