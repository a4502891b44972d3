// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// SPIR-V modules as bytes, and bytes as text. What does not validate is not
// emitted.

#include "lib/Target/GPU/ImageBuilder.h"
#include "lib/Target/Vulkan/Vulkan.h"

#include "mlir/Dialect/SPIRV/IR/SPIRVOps.h"
#include "mlir/Target/SPIRV/Serialization.h"
#include "spirv-tools/libspirv.h"
#include "llvm/ADT/ScopeExit.h"

using namespace mlir;

namespace sparkle::vulkan {

static constexpr spv_target_env kEnvironment = SPV_ENV_VULKAN_1_1;

/// Runs the validator of SPIRV-Tools.
static LogicalResult validate(spirv::ModuleOp module,
                              ArrayRef<uint32_t> words) {
  spv_context context = spvContextCreate(kEnvironment);
  spv_diagnostic diagnostic = nullptr;
  llvm::scope_exit release([&] {
    spvDiagnosticDestroy(diagnostic);
    spvContextDestroy(context);
  });
  if (spvValidateBinary(context, words.data(), words.size(), &diagnostic) ==
      SPV_SUCCESS)
    return success();
  return module.emitError("expected valid SPIR-V of the kernel '")
         << module.getName().value_or("") << "', but got: "
         << (diagnostic ? diagnostic->error : "no diagnostic");
}

FailureOr<std::vector<Image>> emitImages(ModuleOp module,
                                         const TargetOptions &options) {
  std::vector<Image> images;
  for (auto kernel : module.getOps<spirv::ModuleOp>()) {
    FailureOr<std::vector<Launch>> launches = gpu::readLaunches(kernel);
    auto features = kernel->getAttrOfType<IntegerAttr>(kFeatures);
    if (failed(launches) || !features)
      return kernel.emitError("expected the attributes '")
             << gpu::kLaunches << "' and '" << kFeatures << "'";
    // Without names, so that the bytes do not depend on any.
    spirv::SerializationOptions plain;
    plain.emitSymbolName = false;
    SmallVector<uint32_t, 0> words;
    if (failed(spirv::serialize(kernel, words, plain)) ||
        failed(validate(kernel, words)))
      return failure();
    Image image;
    image.kernel = kernel.getName().value_or("").str();
    const char *bytes = reinterpret_cast<const char *>(words.data());
    image.bytes.assign(bytes, bytes + words.size() * sizeof(uint32_t));
    image.launches = std::move(*launches);
    image.features = features.getInt();
    images.push_back(std::move(image));
  }
  return images;
}

LogicalResult disassemble(ArrayRef<char> image, raw_ostream &out,
                          Location loc) {
  SmallVector<uint32_t, 0> words(image.size() / sizeof(uint32_t));
  std::memcpy(words.data(), image.data(), words.size() * sizeof(uint32_t));
  spv_context context = spvContextCreate(kEnvironment);
  spv_diagnostic diagnostic = nullptr;
  spv_text text = nullptr;
  llvm::scope_exit release([&] {
    spvTextDestroy(text);
    spvDiagnosticDestroy(diagnostic);
    spvContextDestroy(context);
  });
  constexpr uint32_t kStyle =
      SPV_BINARY_TO_TEXT_OPTION_INDENT | SPV_BINARY_TO_TEXT_OPTION_NO_HEADER;
  if (spvBinaryToText(context, words.data(), words.size(), kStyle, &text,
                      &diagnostic) != SPV_SUCCESS)
    return emitError(loc, "expected SPIR-V, but got: ")
           << (diagnostic ? diagnostic->error : "no diagnostic");
  out << StringRef(text->str, text->length);
  return success();
}

} // namespace sparkle::vulkan
