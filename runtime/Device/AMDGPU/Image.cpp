// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads ELF: every offset is compared with what is there before it is used.

#include "runtime/Device/AMDGPU/Image.h"

#include <cinttypes>
#include <cstring>
#include <elf.h>
#include <string>

namespace sparkle::runtime {

// Not in this system's elf.h; LLVM's AMDGPU usage guide, "ELF Code Object".
static constexpr unsigned char osAbiAmdHsa = 64;
static constexpr unsigned char minAbiVersion = 2, maxAbiVersion = 4; // V4..V6
static constexpr uint32_t machineMask = 0xff;

/// More than any code needs.
static constexpr uint64_t maxSpan = uint64_t(64) << 20;
static constexpr uint64_t maxLocalSize = 65536;

namespace {

struct Machine {
  const char *processor;
  uint32_t number; // EF_AMDGPU_MACH_AMDGCN_*
};
const Machine machines[] = {
    {"gfx1030", 0x36}, {"gfx1036", 0x45}, {"gfx1100", 0x41}};

} // namespace

template <typename T> T Image::read(uint64_t offset) const {
  T value;
  std::memcpy(&value, file + offset, sizeof(value));
  return value;
}

Status Image::parse(const void *bytes, uint64_t size, const char *processor,
                    Image &image) {
  image = {};
  image.file = static_cast<const uint8_t *>(bytes);
  image.fileSize = size;
  if (Status status = image.parseHeader(processor); !status.isOk())
    return status;
  if (Status status = image.parseSegments(); !status.isOk())
    return status;
  return image.parseSections();
}

//===----------------------------------------------------------------------===//
// The file
//===----------------------------------------------------------------------===//

Status Image::parseHeader(const char *processor) {
  if (!contains(0, sizeof(Elf64_Ehdr)) ||
      std::memcmp(file, ELFMAG, SELFMAG) != 0)
    return Status::invalidArtifact("expected a code object, but got %" PRIu64
                                   " bytes of something else",
                                   fileSize);
  auto header = read<Elf64_Ehdr>(0);
  if (header.e_ident[EI_CLASS] != ELFCLASS64 ||
      header.e_ident[EI_DATA] != ELFDATA2LSB ||
      header.e_ident[EI_OSABI] != osAbiAmdHsa || header.e_type != ET_DYN ||
      header.e_machine != EM_AMDGPU)
    return Status::invalidArtifact(
        "expected a code object for amdgcn-amd-amdhsa, but got class %u, data "
        "%u, ABI %u, type %u, machine %u",
        header.e_ident[EI_CLASS], header.e_ident[EI_DATA],
        header.e_ident[EI_OSABI], header.e_type, header.e_machine);
  unsigned version = header.e_ident[EI_ABIVERSION];
  if (version < minAbiVersion || version > maxAbiVersion)
    return Status::invalidArtifact(
        "expected a code object of ABI version %u to %u, but got %u",
        minAbiVersion, maxAbiVersion, version);
  for (const Machine &machine : machines)
    if (machine.number == (header.e_flags & machineMask) &&
        std::strcmp(machine.processor, processor) == 0)
      return {};
  return Status::invalidArtifact(
      "expected a code object for %s, but got one for machine 0x%x", processor,
      header.e_flags & machineMask);
}

Status Image::parseSegments() {
  auto header = read<Elf64_Ehdr>(0);
  if (header.e_phentsize != sizeof(Elf64_Phdr) ||
      !contains(header.e_phoff, uint64_t(header.e_phnum) * sizeof(Elf64_Phdr)))
    return Status::invalidArtifact(
        "expected %u program headers inside the code object, but got an end "
        "before",
        header.e_phnum);
  for (uint32_t i = 0; i < header.e_phnum; ++i) {
    auto program = read<Elf64_Phdr>(header.e_phoff + i * sizeof(Elf64_Phdr));
    if (program.p_type == PT_DYNAMIC)
      if (Status status = parseDynamic(program.p_offset, program.p_filesz);
          !status.isOk())
        return status;
    if (program.p_type != PT_LOAD || !program.p_memsz)
      continue;
    Segment segment = {program.p_offset, program.p_filesz, program.p_vaddr,
                       program.p_memsz, (program.p_flags & PF_X) != 0};
    if (Status status = checkSegment(segment); !status.isOk())
      return status;
    memorySize = segment.address + segment.memorySize;
    segments.push_back(segment);
  }
  if (segments.empty())
    return Status::invalidArtifact(
        "expected a segment to load in the code object, but got none");
  return {};
}

/// Segments ascend, as ELF says, so that none overlaps another.
Status Image::checkSegment(const Segment &segment) const {
  if (!contains(segment.fileOffset, segment.fileSize) ||
      segment.fileSize > segment.memorySize)
    return Status::invalidArtifact(
        "expected a segment inside the code object, but got %" PRIu64
        " bytes at %" PRIu64 " of %" PRIu64,
        segment.fileSize, segment.fileOffset, fileSize);
  if (segment.address > maxSpan ||
      segment.memorySize > maxSpan - segment.address)
    return Status::invalidArtifact("expected a code object of at most %" PRIu64
                                   " bytes, but got a segment up to %" PRIu64,
                                   maxSpan,
                                   segment.address + segment.memorySize);
  if (segment.address < memorySize)
    return Status::invalidArtifact(
        "expected the segments of the code object to ascend, but got one at "
        "%" PRIu64 " after %" PRIu64,
        segment.address, memorySize);
  return {};
}

/// What wants a dynamic linker is not for us.
Status Image::parseDynamic(uint64_t offset, uint64_t size) const {
  if (!contains(offset, size))
    return Status::invalidArtifact(
        "expected a dynamic section inside the code object, but got an end "
        "before");
  for (uint64_t i = 0; i + sizeof(Elf64_Dyn) <= size; i += sizeof(Elf64_Dyn)) {
    auto entry = read<Elf64_Dyn>(offset + i);
    if (entry.d_tag == DT_NULL)
      break;
    bool isRelocation = entry.d_tag == DT_RELASZ || entry.d_tag == DT_RELSZ ||
                        entry.d_tag == DT_PLTRELSZ || entry.d_tag == DT_NEEDED;
    if (isRelocation && entry.d_un.d_val)
      return Status::invalidArtifact(
          "expected a code object without relocations and libraries, but got "
          "dynamic tag %" PRId64,
          static_cast<int64_t>(entry.d_tag));
  }
  return {};
}

Status Image::parseSections() {
  auto header = read<Elf64_Ehdr>(0);
  if (header.e_shentsize != sizeof(Elf64_Shdr) ||
      !contains(header.e_shoff, uint64_t(header.e_shnum) * sizeof(Elf64_Shdr)))
    return Status::invalidArtifact(
        "expected %u section headers inside the code object, but got an end "
        "before",
        header.e_shnum);
  for (uint32_t i = 0; i < header.e_shnum; ++i) {
    auto symbols = read<Elf64_Shdr>(header.e_shoff + i * sizeof(Elf64_Shdr));
    if (symbols.sh_type != SHT_DYNSYM)
      continue;
    if (symbols.sh_link >= header.e_shnum)
      break;
    auto names =
        read<Elf64_Shdr>(header.e_shoff + symbols.sh_link * sizeof(Elf64_Shdr));
    if (!contains(symbols.sh_offset, symbols.sh_size) ||
        !contains(names.sh_offset, names.sh_size) || !names.sh_size ||
        file[names.sh_offset + names.sh_size - 1] != 0)
      break;
    symbolOffset = symbols.sh_offset;
    symbolCount = symbols.sh_size / sizeof(Elf64_Sym);
    nameOffset = names.sh_offset;
    nameSize = names.sh_size;
    return {};
  }
  return Status::invalidArtifact(
      "expected a table of dynamic symbols with their names inside the code "
      "object, but got none");
}

void Image::load(void *memory) const {
  auto *bytes = static_cast<uint8_t *>(memory);
  std::memset(bytes, 0, memorySize);
  for (const Segment &segment : segments)
    std::memcpy(bytes + segment.address, file + segment.fileOffset,
                segment.fileSize);
}

//===----------------------------------------------------------------------===//
// A kernel
//===----------------------------------------------------------------------===//

Status Image::findSymbol(const char *name, Symbol &result) const {
  for (uint64_t i = 0; i < symbolCount; ++i) {
    auto symbol = read<Elf64_Sym>(symbolOffset + i * sizeof(Elf64_Sym));
    if (symbol.st_name >= nameSize || symbol.st_shndx == SHN_UNDEF)
      continue;
    const char *found =
        reinterpret_cast<const char *>(file + nameOffset + symbol.st_name);
    if (std::strcmp(found, name) != 0)
      continue;
    result = {symbol.st_value, symbol.st_size};
    return {};
  }
  return Status::invalidArtifact(
      "expected a symbol '%s' in the code object, but got none", name);
}

Status Image::readDescriptor(const char *entry, KernelDescriptor &descriptor,
                             uint64_t &code) const {
  constexpr uint64_t size = 64;
  std::string name = std::string(entry) + ".kd";
  Symbol symbol = {};
  if (Status status = findSymbol(name.c_str(), symbol); !status.isOk())
    return status;
  uint64_t offset = 0;
  bool isInside = false;
  for (const Segment &segment : segments) {
    if (symbol.address < segment.address)
      continue;
    uint64_t inner = symbol.address - segment.address;
    if (inner > segment.fileSize || size > segment.fileSize - inner)
      continue;
    offset = segment.fileOffset + inner;
    isInside = true;
  }
  if (!isInside || symbol.size != size)
    return Status::invalidArtifact(
        "expected '%s' to be 64 bytes of a segment, but got %" PRIu64
        " at %" PRIu64,
        name.c_str(), symbol.size, symbol.address);
  descriptor.localSize = read<uint32_t>(offset);
  descriptor.privateSize = read<uint32_t>(offset + 4);
  descriptor.kernargSize = read<uint32_t>(offset + 8);
  descriptor.rsrc3 = read<uint32_t>(offset + 44);
  descriptor.rsrc1 = read<uint32_t>(offset + 48);
  descriptor.rsrc2 = read<uint32_t>(offset + 52);
  descriptor.properties = read<uint16_t>(offset + 56);
  descriptor.preload = read<uint16_t>(offset + 58);
  // Wraps where it is negative.
  code = symbol.address + read<uint64_t>(offset + 16);
  return {};
}

/// Why the runtime cannot launch it. What is not written into a register here
/// would be junk on the device, and nothing there would say so.
static Status checkDescriptor(const sparkle_launch_t &launch,
                              const KernelDescriptor &descriptor,
                              uint64_t argumentSize) {
  // A buffer for scratch memory (always asked for on gfx10, and empty), the
  // address of the arguments, waves of 32.
  constexpr unsigned known = 1u << 0 | 1u << 3 | 1u << 10;
  constexpr uint32_t privileged = 1u << 20, scratch = 1u << 0;
  constexpr uint32_t localBits = 0x1ffu << 15;
  const char *entry = launch.entry;
  if (descriptor.properties & ~known)
    return Status::invalidArtifact(
        "entry '%s': expected no kernel code properties beyond 0x%x, but got "
        "0x%x",
        entry, known, descriptor.properties);
  if (!(descriptor.properties & 1u << 3))
    return Status::invalidArtifact(
        "entry '%s': expected it to take the address of its arguments, but got "
        "kernel code properties 0x%x",
        entry, descriptor.properties);
  if (!descriptor.isWave32())
    return Status::invalidArtifact(
        "entry '%s': expected waves of 32 lanes, but got 64", entry);
  if (descriptor.privateSize || descriptor.rsrc2 & scratch)
    return Status::invalidArtifact(
        "entry '%s': expected no scratch memory, but got %u bytes of a lane",
        entry, descriptor.privateSize);
  if (descriptor.preload)
    return Status::invalidArtifact(
        "entry '%s': expected no arguments in registers, but got 0x%x", entry,
        descriptor.preload);
  // Behind fewer, sizes would lie elsewhere.
  if ((descriptor.kernargSize + 7) / 8 != (argumentSize + 7) / 8)
    return Status::invalidArtifact(
        "entry '%s': expected %" PRIu64
        " bytes of arguments, but got %u - hidden ones are not supported",
        entry, argumentSize, descriptor.kernargSize);
  if (descriptor.rsrc1 & privileged)
    return Status::invalidArtifact(
        "entry '%s': expected unprivileged code, but got PRIV", entry);
  if (descriptor.rsrc2 & localBits)
    return Status::invalidArtifact("entry '%s': expected LDS_SIZE to be left "
                                   "to the runtime, but got "
                                   "COMPUTE_PGM_RSRC2 0x%x",
                                   entry, descriptor.rsrc2);
  if (descriptor.localSize > maxLocalSize ||
      descriptor.localSize != launch.local_size)
    return Status::invalidArtifact(
        "entry '%s': expected %u bytes of workgroup memory, but got %u", entry,
        launch.local_size, descriptor.localSize);
  return {};
}

Status Image::findKernel(const sparkle_launch_t &launch, uint64_t argumentSize,
                         ImageKernel &kernel) const {
  const char *entry = launch.entry;
  Symbol symbol = {};
  if (Status status = findSymbol(entry, symbol); !status.isOk())
    return status;
  uint64_t code = 0;
  if (Status status = readDescriptor(entry, kernel.descriptor, code);
      !status.isOk())
    return status;
  bool isExecutable = false;
  for (const Segment &segment : segments)
    isExecutable |= segment.isExecutable && code >= segment.address &&
                    code - segment.address < segment.fileSize;
  if (code != symbol.address || !isExecutable || code % 256)
    return Status::invalidArtifact(
        "entry '%s': expected code at a multiple of 256 in an executable "
        "segment, but got %" PRIu64 " of the descriptor and %" PRIu64
        " of the symbol",
        entry, code, symbol.address);
  kernel.offset = code;
  return checkDescriptor(launch, kernel.descriptor, argumentSize);
}

} // namespace sparkle::runtime
