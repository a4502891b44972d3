// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A code object written by hand, every byte of which a test may damage, and a
// descriptor around it: y[i] = 2 * x[i] + 1 for i < N. Its code is two words
// that the mocked library knows (Mock.cpp); no device could run it.

#ifndef SPARKLE_TEST_RUNTIME_AMDGPU_KERNELS_H
#define SPARKLE_TEST_RUNTIME_AMDGPU_KERNELS_H

#include "sparkle/runtime.h"

#include <cstring>
#include <elf.h>
#include <string>
#include <vector>

/// "affine" to the mocked library.
constexpr uint32_t affineMark = 0xbf800aff;
constexpr uint32_t affineInvocations = 64;

/// The file: headers, symbols and descriptor in a segment to read, code in one
/// to execute.
struct ImageFile {
  static constexpr uint64_t descriptorAt = 0x400, codeAt = 0x500;
  static constexpr uint64_t codeAddress = 0x1500, size = 0x700;

  explicit ImageFile(uint32_t machine = 0x41,
                     bool hasScratchRegisters = false) {
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_ident[EI_OSABI] = 64;
    header.e_ident[EI_ABIVERSION] = 4;
    header.e_type = ET_DYN;
    header.e_machine = 224;
    header.e_flags = machine;
    header.e_phoff = 64;
    header.e_phentsize = 56;
    header.e_phnum = 3;
    header.e_shoff = 0x200;
    header.e_shentsize = 64;
    header.e_shnum = 3;
    segments[0].p_type = PT_LOAD;
    segments[0].p_filesz = segments[0].p_memsz = codeAt;
    segments[1].p_type = PT_LOAD;
    segments[1].p_flags = PF_R | PF_X;
    segments[1].p_offset = codeAt;
    segments[1].p_vaddr = codeAddress;
    segments[1].p_filesz = segments[1].p_memsz = size - codeAt;
    segments[2].p_type = PT_DYNAMIC;
    segments[2].p_offset = 0x180;
    segments[2].p_filesz = sizeof(dynamic);
    sections[1].sh_type = SHT_DYNSYM;
    sections[1].sh_link = 2;
    sections[1].sh_offset = 0x300;
    sections[1].sh_size = sizeof(symbols);
    sections[2].sh_type = SHT_STRTAB;
    sections[2].sh_offset = 0x380;
    sections[2].sh_size = sizeof(names);
    symbols[1].st_name = 1;
    symbols[1].st_shndx = 1;
    symbols[1].st_value = codeAddress;
    symbols[2].st_name = 8;
    symbols[2].st_shndx = 1;
    symbols[2].st_value = descriptorAt;
    symbols[2].st_size = 64;
    // x, y, N.
    kernargSize = 20;
    entry = codeAddress - descriptorAt;
    rsrc3 = 0x130;
    rsrc1 = 0xe0af000b;
    rsrc2 = hasScratchRegisters ? 0x18c : 0x19c;
    properties = hasScratchRegisters ? 0x409 : 0x408;
  }

  std::vector<uint8_t> write() const {
    std::vector<uint8_t> file(size);
    auto put = [&](uint64_t at, const void *bytes, size_t count) {
      std::memcpy(file.data() + at, bytes, count);
    };
    put(0, &header, sizeof(header));
    put(64, segments, sizeof(segments));
    put(0x180, dynamic, sizeof(dynamic));
    put(0x200, sections, sizeof(sections));
    put(0x300, symbols, sizeof(symbols));
    put(0x380, names, sizeof(names));
    put(descriptorAt, &localSize, 4);
    put(descriptorAt + 4, &privateSize, 4);
    put(descriptorAt + 8, &kernargSize, 4);
    put(descriptorAt + 16, &entry, 8);
    put(descriptorAt + 44, &rsrc3, 4);
    put(descriptorAt + 48, &rsrc1, 4);
    put(descriptorAt + 52, &rsrc2, 4);
    put(descriptorAt + 56, &properties, 2);
    put(descriptorAt + 58, &preload, 2);
    put(codeAt, &affineMark, 4);
    return file;
  }

  Elf64_Ehdr header = {};
  Elf64_Phdr segments[3] = {};
  Elf64_Dyn dynamic[2] = {};
  Elf64_Shdr sections[3] = {};
  Elf64_Sym symbols[3] = {};
  char names[32] = "\0affine\0affine.kd";
  uint32_t localSize = 0, privateSize = 0, kernargSize;
  uint64_t entry;
  uint32_t rsrc3, rsrc1, rsrc2;
  uint16_t properties, preload = 0;
};

/// Everything in one place that can be written.
struct AffineKernel {
  explicit AffineKernel(const char *processor = "gfx1100") {
    std::string name(processor);
    tensors[0] = {
        "x", SPARKLE_ROLE_INPUT, SPARKLE_ELEMENT_F32, 1, 1, &extent, &factor, 0,
        0};
    tensors[1] = tensors[0];
    tensors[1].name = "y";
    tensors[1].role = SPARKLE_ROLE_OUTPUT;
    launch.entry = "affine";
    launch.grid = &groups;
    launch.grid_count = 1;
    launch.invocations = affineInvocations;
    code.target = SPARKLE_TARGET_AMDGPU;
    code.processor = processor;
    code.pattern = "";
    code.launches = &launch;
    code.launch_count = 1;
    kernel.magic = SPARKLE_KERNEL_MAGIC;
    kernel.version = SPARKLE_KERNEL_VERSION;
    kernel.struct_size = sizeof(kernel);
    kernel.size_count = 1;
    kernel.tensor_count = 2;
    kernel.code_count = 1;
    kernel.name = "affine";
    kernel.compiler = "by hand";
    kernel.size_names = &sizeName;
    kernel.tensors = tensors;
    kernel.codes = &code;
    kernel.operation_count = countNothing;
    setImage(ImageFile(name == "gfx1100"   ? 0x41
                       : name == "gfx1030" ? 0x36
                                           : 0x45,
                       name != "gfx1100"));
  }
  AffineKernel(const AffineKernel &) = delete;

  /// And the hash with it.
  void setImage(const ImageFile &file) {
    std::vector<uint8_t> bytes = file.write();
    std::memcpy(image, bytes.data(), bytes.size());
    code.image = image;
    code.image_size = bytes.size();
    code.image_hash = 0xcbf29ce484222325;
    for (uint8_t byte : bytes)
      code.image_hash = (code.image_hash ^ byte) * 0x100000001b3;
  }

  static int64_t countNothing(const int64_t *) { return 1; }

  const char *sizeName = "N";
  int64_t one[1] = {1};
  sparkle_extent_t extent = {0, 1, one};
  sparkle_extent_t groups = {63, 64, one};
  sparkle_factor_t factor = {0, 0, 1, 0};
  sparkle_tensor_t tensors[2];
  sparkle_launch_t launch = {};
  alignas(16) uint8_t image[ImageFile::size] = {};
  sparkle_code_t code = {};
  sparkle_kernel_t kernel = {};
};

#endif // SPARKLE_TEST_RUNTIME_AMDGPU_KERNELS_H
