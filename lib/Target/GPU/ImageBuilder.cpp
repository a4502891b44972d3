// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the modules of all GPUs' kernels have in common: launches as attributes.

#include "lib/Target/GPU/ImageBuilder.h"
#include "lib/Target/InPlace.h"

using namespace mlir;

namespace sparkle::gpu {

ImageBuilder::ImageBuilder(KernelOp kernel)
    : kernel(kernel), builder(kernel), loc(kernel.getLoc()) {
  // A binding for each argument: the tensors without temps.
  auto arguments =
      llvm::filter_to_vector(kernel.getTensors(), [](TensorOp tensor) {
        return tensor.getRole() != Role::Temp;
      });
  for (auto [binding, tensor] : llvm::enumerate(arguments))
    if (TensorOp output = findInPlace(tensor)) {
      shared.insert(binding);
      shared.insert(llvm::find(arguments, output) - arguments.begin());
    }
}

void ImageBuilder::addLaunch(const Launch &launch) {
  launches.push_back(builder.getDictionaryAttr({
      builder.getNamedAttr("entry", builder.getStringAttr(launch.entry)),
      builder.getNamedAttr("grid", AffineMapAttr::get(launch.grid)),
      builder.getNamedAttr("invocations",
                           builder.getI64IntegerAttr(launch.invocations)),
      builder.getNamedAttr("local_bytes",
                           builder.getI64IntegerAttr(launch.localBytes)),
  }));
}

static Launch getLaunch(DictionaryAttr launch) {
  auto getNumber = [&](StringRef name) -> uint32_t {
    return launch.getAs<IntegerAttr>(name).getInt();
  };
  return {launch.getAs<StringAttr>("entry").str(),
          launch.getAs<AffineMapAttr>("grid").getValue(),
          getNumber("invocations"), getNumber("local_bytes")};
}

FailureOr<std::vector<Launch>> readLaunches(Operation *module) {
  auto launches = module->getAttrOfType<ArrayAttr>(kLaunches);
  if (!launches)
    return failure();
  std::vector<Launch> result;
  for (auto launch : launches.getAsRange<DictionaryAttr>())
    result.push_back(getLaunch(launch));
  return result;
}

} // namespace sparkle::gpu
