// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The numbers of the profiles that images are compiled for. A profile is what
// an image asks of a device; which one a device gets is chosen when it loads.

#include "lib/Target/Vulkan/Vulkan.h"

using namespace mlir;

namespace sparkle::vulkan {

namespace {
struct Profile {
  int64_t invocations;
  /// Sums that an invocation may hold.
  int64_t registers;
  /// Bytes of workgroup memory.
  int64_t nearBytes;
};
} // namespace

static constexpr int64_t KiB = 1024;

// Best first. Every device has 128 invocations and 16 KiB; nearly all that are
// no phones have 256 and 32 KiB.
static constexpr llvm::StringLiteral kProcessors[] = {"large", "small"};
static constexpr Profile kProfiles[] = {{256, 64, 32 * KiB},
                                        {128, 32, 16 * KiB}};

// Of a large GPU; a small one is only offered too many workers. Lanes that read
// the same vector of workgroup memory, as many do, read it once.
static constexpr int64_t kCores = 128, kNearRead = 3;

ArrayRef<llvm::StringLiteral> getProcessors() { return kProcessors; }

FailureOr<TargetDescription> describe(MLIRContext *context,
                                      const TargetOptions &options) {
  const auto *found = llvm::find(kProcessors, options.processor);
  if (found == std::end(kProcessors))
    return emitError(UnknownLoc::get(context))
           << "expected the name of a profile, 'large' or 'small', but got '"
           << options.processor << "'";
  const Profile &profile = kProfiles[found - kProcessors];
  auto numbers = TargetAttr::get(
      context, "vulkan", profile.invocations, profile.registers,
      /*fma_latency=*/4, profile.nearBytes, /*close_bytes=*/0,
      /*copies=*/true, /*masked=*/true, kCores, kNearRead, /*near_width=*/32,
      /*unit_lanes=*/1);
  return TargetDescription{numbers, options.processor, 0};
}

} // namespace sparkle::vulkan
