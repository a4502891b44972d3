// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Code objects, good and hostile: whatever is wrong has its sentence, and
// nothing outside of the file is read.

#include "runtime/Device/AMDGPU/Image.h"
#include "runtime/Device/AMDGPU/Measure/Code.h"
#include "test/runtime/AMDGPU/Kernels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

using namespace sparkle::runtime;

namespace {

struct AMDGPUImage : testing::Test {
  AMDGPUImage() {
    launch.entry = "affine";
    launch.invocations = affineInvocations;
  }

  /// Parses a copy that ends where the file does, so that a sanitizer sees
  /// what is read behind it.
  Status parse(const std::vector<uint8_t> &bytes) {
    memory.reset(new uint8_t[bytes.size()]);
    std::copy(bytes.begin(), bytes.end(), memory.get());
    return Image::parse(memory.get(), bytes.size(), "gfx1100", image);
  }
  void expectRefused(const std::string &sentence) {
    Status status = parse(file.write());
    if (status.isOk())
      status = image.findKernel(launch, 24, kernel);
    EXPECT_EQ(status.code(), SPARKLE_INVALID_ARTIFACT);
    EXPECT_EQ(status.message(), sentence);
  }

  ImageFile file;
  sparkle_launch_t launch = {};
  std::unique_ptr<uint8_t[]> memory;
  Image image;
  ImageKernel kernel = {};
};

TEST_F(AMDGPUImage, isRead) {
  file.localSize = launch.local_size = 0x2001;
  ASSERT_TRUE(parse(file.write()).isOk());
  EXPECT_EQ(image.span(), 0x1700u);
  Status status = image.findKernel(launch, 24, kernel);
  ASSERT_TRUE(status.isOk()) << status.message();
  EXPECT_EQ(kernel.offset, 0x1500u);
  EXPECT_EQ(kernel.descriptor.rsrc1, 0xe0af000bu);
  EXPECT_EQ(kernel.descriptor.rsrc3, 0x130u);
  EXPECT_EQ(kernel.descriptor.kernargSize, 20u);
  EXPECT_EQ(kernel.descriptor.fullRsrc2(), 0x19cu | 17u << 15);
  EXPECT_EQ(kernel.descriptor.kernargRegister(), 0u);
  EXPECT_TRUE(kernel.descriptor.isWave32());
  std::vector<uint8_t> loaded(image.span(), 0xee);
  image.load(loaded.data());
  uint32_t first;
  std::memcpy(&first, &loaded[0x1500], sizeof(first));
  EXPECT_EQ(first, affineMark);
  EXPECT_EQ(loaded[0x600], 0); // between the segments
}

/// gfx10 asks for a buffer of scratch memory without having any.
TEST_F(AMDGPUImage, registersOfGfx10) {
  file.properties = 0x409;
  ASSERT_TRUE(parse(file.write()).isOk());
  ASSERT_TRUE(image.findKernel(launch, 24, kernel).isOk());
  EXPECT_EQ(kernel.descriptor.kernargRegister(), 4u);
}

/// What LLVM and lld make.
TEST_F(AMDGPUImage, ofTheCompiler) {
  for (const MeasureCode &code : measureCodes) {
    ASSERT_TRUE(
        Image::parse(code.image, code.size, code.processor, image).isOk());
    launch.entry = "peak";
    EXPECT_TRUE(image.findKernel(launch, 16, kernel).isOk());
    launch.entry = "bandwidth";
    Status status = image.findKernel(launch, 24, kernel);
    EXPECT_TRUE(status.isOk()) << status.message();
    bool isGfx11 = std::string(code.processor) == "gfx1100";
    EXPECT_EQ(kernel.descriptor.kernargRegister(), isGfx11 ? 0u : 4u);
    EXPECT_EQ(kernel.offset % 256, 0u);
  }
}

TEST_F(AMDGPUImage, isOfAnotherKind) {
  EXPECT_STREQ(parse(std::vector<uint8_t>(10)).message(),
               "expected a code object, but got 10 bytes of something else");
  file.header.e_ident[0] = 'X';
  expectRefused("expected a code object, but got 1792 bytes of something else");
  file = ImageFile();
  file.header.e_machine = 62;
  expectRefused("expected a code object for amdgcn-amd-amdhsa, but got class "
                "2, data 1, ABI 64, type 3, machine 62");
  file = ImageFile();
  file.header.e_ident[EI_ABIVERSION] = 1;
  expectRefused("expected a code object of ABI version 2 to 4, but got 1");
  file = ImageFile(0x36);
  expectRefused("expected a code object for gfx1100, but got one for machine "
                "0x36");
}

TEST_F(AMDGPUImage, headersOutside) {
  file.header.e_phoff = file.size - 100;
  expectRefused("expected 3 program headers inside the code object, but got an "
                "end before");
  file = ImageFile();
  file.header.e_phoff = UINT64_MAX - 10;
  expectRefused("expected 3 program headers inside the code object, but got an "
                "end before");
  file = ImageFile();
  file.header.e_phentsize = 55;
  expectRefused("expected 3 program headers inside the code object, but got an "
                "end before");
  file = ImageFile();
  file.header.e_shnum = 0xffff;
  expectRefused("expected 65535 section headers inside the code object, but "
                "got an end before");
}

TEST_F(AMDGPUImage, segments) {
  file.segments[1].p_filesz = 0x201;
  file.segments[1].p_memsz = 0x201;
  expectRefused("expected a segment inside the code object, but got 513 bytes "
                "at 1280 of 1792");
  file = ImageFile();
  file.segments[1].p_memsz = 1;
  expectRefused("expected a segment inside the code object, but got 512 bytes "
                "at 1280 of 1792");
  file = ImageFile();
  file.segments[1].p_memsz = uint64_t(1) << 26;
  expectRefused("expected a code object of at most 67108864 bytes, but got a "
                "segment up to 67114240");
  file = ImageFile();
  file.segments[1].p_vaddr = 0x4ff;
  expectRefused("expected the segments of the code object to ascend, but got "
                "one at 1279 after 1280");
  file = ImageFile();
  file.header.e_phnum = 0;
  expectRefused("expected a segment to load in the code object, but got none");
}

TEST_F(AMDGPUImage, dynamicLinking) {
  file.dynamic[0].d_tag = DT_RELASZ;
  file.dynamic[0].d_un.d_val = 24;
  expectRefused("expected a code object without relocations and libraries, but "
                "got dynamic tag 8");
  file = ImageFile();
  file.segments[2].p_filesz = file.size;
  expectRefused("expected a dynamic section inside the code object, but got an "
                "end before");
}

TEST_F(AMDGPUImage, symbols) {
  const std::string none = "expected a table of dynamic symbols with their "
                           "names inside the code object, but got none";
  file.sections[1].sh_type = SHT_NULL;
  expectRefused(none);
  file = ImageFile();
  file.sections[1].sh_link = 3;
  expectRefused(none);
  file = ImageFile();
  file.sections[1].sh_offset = file.size;
  expectRefused(none);
  file = ImageFile();
  file.sections[2].sh_size = 5; // ends within a name
  expectRefused(none);
  file = ImageFile();
  file.symbols[1].st_name = 0xffffffff;
  expectRefused("expected a symbol 'affine' in the code object, but got none");
  file = ImageFile();
  file.symbols[2].st_shndx = SHN_UNDEF;
  expectRefused(
      "expected a symbol 'affine.kd' in the code object, but got none");
}

TEST_F(AMDGPUImage, placeOfTheDescriptor) {
  file.symbols[2].st_value = 0x4c1;
  expectRefused(
      "expected 'affine.kd' to be 64 bytes of a segment, but got 64 at 1217");
  file = ImageFile();
  file.symbols[2].st_size = 32;
  expectRefused(
      "expected 'affine.kd' to be 64 bytes of a segment, but got 32 at 1024");
  file = ImageFile();
  file.symbols[2].st_value = UINT64_MAX - 3;
  expectRefused("expected 'affine.kd' to be 64 bytes of a segment, but got 64 "
                "at 18446744073709551612");
}

TEST_F(AMDGPUImage, placeOfTheCode) {
  file.entry += 256;
  expectRefused("entry 'affine': expected code at a multiple of 256 in an "
                "executable segment, but got 5632 of the descriptor and 5376 "
                "of the symbol");
  file = ImageFile();
  file.segments[1].p_flags = PF_R;
  expectRefused("entry 'affine': expected code at a multiple of 256 in an "
                "executable segment, but got 5376 of the descriptor and 5376 "
                "of the symbol");
  file = ImageFile();
  file.entry = uint64_t(0) - file.descriptorAt + 0x1540;
  file.symbols[1].st_value = 0x1540;
  expectRefused("entry 'affine': expected code at a multiple of 256 in an "
                "executable segment, but got 5440 of the descriptor and 5440 "
                "of the symbol");
}

TEST_F(AMDGPUImage, whatCannotBeLaunched) {
  file.properties = 0x408 | 1 << 1;
  expectRefused("entry 'affine': expected no kernel code properties beyond "
                "0x409, but got 0x40a");
  file = ImageFile();
  file.properties = 0x400;
  expectRefused("entry 'affine': expected it to take the address of its "
                "arguments, but got kernel code properties 0x400");
  file = ImageFile();
  file.properties = 0x8;
  expectRefused("entry 'affine': expected waves of 32 lanes, but got 64");
  file = ImageFile();
  file.privateSize = 16;
  expectRefused("entry 'affine': expected no scratch memory, but got 16 bytes "
                "of a lane");
  file = ImageFile();
  file.rsrc2 |= 1;
  expectRefused("entry 'affine': expected no scratch memory, but got 0 bytes "
                "of a lane");
  file = ImageFile();
  file.preload = 2;
  expectRefused(
      "entry 'affine': expected no arguments in registers, but got 0x2");
  file = ImageFile();
  file.kernargSize = 280;
  expectRefused("entry 'affine': expected 24 bytes of arguments, but "
                "got 280 - hidden ones are not supported");
  file.kernargSize = 16;
  expectRefused("entry 'affine': expected 24 bytes of arguments, but "
                "got 16 - hidden ones are not supported");
  file = ImageFile();
  file.rsrc1 |= 1 << 20;
  expectRefused("entry 'affine': expected unprivileged code, but got PRIV");
  file = ImageFile();
  file.rsrc2 |= 1 << 15;
  expectRefused("entry 'affine': expected LDS_SIZE to be left to the runtime, "
                "but got COMPUTE_PGM_RSRC2 0x819c");
  file = ImageFile();
  file.localSize = 512;
  expectRefused("entry 'affine': expected 0 bytes of workgroup memory, but got "
                "512");
  file.localSize = launch.local_size = 65537;
  expectRefused("entry 'affine': expected 65537 bytes of workgroup memory, but "
                "got 65537");
}

/// Any byte may be anything: it is refused, or read without harm.
TEST_F(AMDGPUImage, everyByte) {
  const std::vector<uint8_t> good = file.write();
  for (size_t at = 0; at < good.size(); ++at)
    for (uint8_t value : {0x00, 0x01, 0x7f, 0x80, 0xff}) {
      std::vector<uint8_t> bytes = good;
      bytes[at] = value;
      if (!parse(bytes).isOk() || !image.findKernel(launch, 24, kernel).isOk())
        continue;
      ASSERT_LE(image.span(), uint64_t(64) << 20);
      std::vector<uint8_t> loaded(image.span());
      if (at % 64 == 0)
        image.load(loaded.data());
    }
  for (size_t size = 0; size < good.size(); ++size) {
    std::vector<uint8_t> bytes(good.begin(), good.begin() + size);
    EXPECT_FALSE(parse(bytes).isOk() &&
                 image.findKernel(launch, 24, kernel).isOk())
        << size;
  }
}

} // namespace
