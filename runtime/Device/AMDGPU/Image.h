// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A code object: an ELF shared object for amdgcn-amd-amdhsa, read without
// trusting any of it. Knows nothing of devices.

#ifndef SPARKLE_RUNTIME_DEVICE_AMDGPU_IMAGE_H
#define SPARKLE_RUNTIME_DEVICE_AMDGPU_IMAGE_H

#include "runtime/Status.h"

#include <vector>

namespace sparkle::runtime {

/// The fields that matter of a kernel's descriptor, 64 bytes at `entry.kd`
/// (LLVM's AMDGPU usage guide, "Kernel Descriptor").
struct KernelDescriptor {
  uint32_t localSize;   // group_segment_fixed_size, bytes
  uint32_t privateSize; // bytes of scratch memory of a lane
  uint32_t kernargSize; // bytes
  uint32_t rsrc1, rsrc2, rsrc3;
  uint16_t properties;
  uint16_t preload; // of kernel arguments into registers

  bool isWave32() const { return properties >> 10 & 1; }
  /// The first of the two user SGPRs with the address of the arguments: behind
  /// the four of a scratch buffer, if there is one (bit 0).
  uint32_t kernargRegister() const { return properties & 1 ? 4 : 0; }
  /// With the size of workgroup memory, which the compiler leaves to us.
  uint32_t fullRsrc2() const { return rsrc2 | (localSize + 511) / 512 << 15; }
};

/// A kernel of an image.
struct ImageKernel {
  KernelDescriptor descriptor;
  uint64_t offset; // of its first instruction in the loaded image
};

/// The bytes of an image, checked as far as they are used. They are the
/// caller's, and stay.
class Image {
public:
  /// processor: "gfx1100".
  /// SPARKLE_INVALID_ARTIFACT and what is wrong with it.
  static Status parse(const void *bytes, uint64_t size, const char *processor,
                      Image &image);

  /// What it needs when loaded, in bytes.
  uint64_t span() const { return memorySize; }
  /// Lays it out in `memory`, `span()` bytes.
  void load(void *memory) const;

  /// Finds a kernel, and refuses one that the runtime cannot launch. `launch`
  /// is what the descriptor of the artifact says, and its arguments are
  /// `argumentSize` bytes.
  Status findKernel(const sparkle_launch_t &launch, uint64_t argumentSize,
                    ImageKernel &kernel) const;

private:
  /// A part of the file that is loaded at `address`.
  struct Segment {
    uint64_t fileOffset, fileSize;
    uint64_t address, memorySize;
    bool isExecutable;
  };
  struct Symbol {
    uint64_t address, size;
  };

  Status parseHeader(const char *processor);
  Status parseSegments();
  Status checkSegment(const Segment &segment) const;
  Status parseDynamic(uint64_t offset, uint64_t size) const;
  Status parseSections();
  Status findSymbol(const char *name, Symbol &symbol) const;
  Status readDescriptor(const char *entry, KernelDescriptor &descriptor,
                        uint64_t &code) const;

  bool contains(uint64_t offset, uint64_t size) const {
    return offset <= fileSize && size <= fileSize - offset;
  }
  template <typename T> T read(uint64_t offset) const;

  const uint8_t *file = nullptr;
  uint64_t fileSize = 0;
  uint64_t memorySize = 0;
  std::vector<Segment> segments; // ascending
  uint64_t symbolOffset = 0, symbolCount = 0;
  uint64_t nameOffset = 0, nameSize = 0;
};

} // namespace sparkle::runtime

#endif // SPARKLE_RUNTIME_DEVICE_AMDGPU_IMAGE_H
