// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ELF -> entry points, and what is refused.

#include "lib/Target/AMDGPU/CodeObject.h"

#include "llvm/BinaryFormat/MsgPackDocument.h"
#include "llvm/Object/ELFObjectFile.h"

using namespace llvm;

namespace sparkle::amdgpu {
namespace {

/// Reads one; the parts of an ELF file by their names.
class Reader {
public:
  explicit Reader(const object::ELF64LEObjectFile &file) : file(file) {}
  Expected<CodeObject> run();

private:
  Error readNote();
  Error readKernel(msgpack::MapDocNode kernel);
  Expected<object::ELFSymbolRef> findSymbol(const Twine &name);
  Expected<ArrayRef<uint8_t>> getBytes(object::ELFSymbolRef symbol);
  Error readDescriptor(EntryPoint &entryPoint);

  const object::ELF64LEObjectFile &file;
  CodeObject result;
};

/// The text of a note of AMD's with the metadata of kernels.
Expected<StringRef> findMetadata(const object::ELF64LEObjectFile &file) {
  const auto &elf = file.getELFFile();
  auto sections = elf.sections();
  if (!sections)
    return sections.takeError();
  for (const auto &section : *sections) {
    if (section.sh_type != ELF::SHT_NOTE)
      continue;
    Error error = Error::success();
    for (const auto &note : elf.notes(section, error))
      if (note.getName() == "AMDGPU" &&
          note.getType() == ELF::NT_AMDGPU_METADATA) {
        cantFail(std::move(error));
        return note.getDescAsStringRef(section.sh_addralign);
      }
    if (error)
      return std::move(error);
  }
  return createStringError("expected a note with metadata, but got none");
}

unsigned getNumber(msgpack::MapDocNode map, StringRef key) {
  auto found = map.find(key);
  return found == map.end() || found->second.getKind() != msgpack::Type::UInt
             ? 0
             : found->second.getUInt();
}

Expected<object::ELFSymbolRef> Reader::findSymbol(const Twine &name) {
  std::string wanted = name.str();
  for (object::ELFSymbolRef symbol : file.symbols()) {
    Expected<StringRef> found = symbol.getName();
    if (!found)
      return found.takeError();
    if (*found == wanted)
      return symbol;
  }
  return createStringError("expected a symbol '" + wanted + "', but got none");
}

Expected<ArrayRef<uint8_t>> Reader::getBytes(object::ELFSymbolRef symbol) {
  Expected<object::section_iterator> section = symbol.getSection();
  if (!section)
    return section.takeError();
  if (*section == file.section_end())
    return createStringError("expected a symbol in a section");
  Expected<StringRef> contents = (*section)->getContents();
  Expected<uint64_t> address = symbol.getAddress();
  if (!contents)
    return contents.takeError();
  if (!address)
    return address.takeError();
  uint64_t offset = *address - (*section)->getAddress();
  if (offset > contents->size() || symbol.getSize() > contents->size() - offset)
    return createStringError("expected a symbol within its section");
  return arrayRefFromStringRef(contents->substr(offset, symbol.getSize()));
}

Error Reader::readDescriptor(EntryPoint &entryPoint) {
  Expected<object::ELFSymbolRef> symbol = findSymbol(entryPoint.name + ".kd");
  if (!symbol)
    return symbol.takeError();
  Expected<ArrayRef<uint8_t>> bytes = getBytes(*symbol);
  if (!bytes)
    return bytes.takeError();
  if (bytes->size() != sizeof(entryPoint.descriptor))
    return createStringError(
        "expected a kernel descriptor of 64 bytes, but got " +
        Twine(bytes->size()));
  std::memcpy(&entryPoint.descriptor, bytes->data(), bytes->size());
  return Error::success();
}

Error Reader::readKernel(msgpack::MapDocNode kernel) {
  EntryPoint entryPoint;
  entryPoint.name = kernel[".name"].toString();
  entryPoint.vectorRegisters = getNumber(kernel, ".vgpr_count");
  entryPoint.scalarRegisters = getNumber(kernel, ".sgpr_count");
  entryPoint.invocations = getNumber(kernel, ".max_flat_workgroup_size");
  if (auto arguments = kernel.find(".args"); arguments != kernel.end())
    for (msgpack::DocNode argument : arguments->second.getArray()) {
      std::string kind = argument.getMap()[".value_kind"].toString();
      if (StringRef(kind).starts_with("hidden_") && entryPoint.hidden.empty())
        entryPoint.hidden = kind;
    }
  if (Error error = readDescriptor(entryPoint))
    return error;
  Expected<object::ELFSymbolRef> symbol = findSymbol(entryPoint.name);
  if (!symbol)
    return symbol.takeError();
  Expected<uint64_t> address = symbol->getAddress();
  if (!address)
    return address.takeError();
  Expected<ArrayRef<uint8_t>> code = getBytes(*symbol);
  if (!code)
    return code.takeError();
  entryPoint.address = *address;
  entryPoint.code = *code;
  result.entryPoints.push_back(std::move(entryPoint));
  return Error::success();
}

Error Reader::readNote() {
  Expected<StringRef> metadata = findMetadata(file);
  if (!metadata)
    return metadata.takeError();
  msgpack::Document document;
  if (!document.readFromBlob(*metadata, /*Multi=*/false) ||
      !document.getRoot().isMap())
    return createStringError("expected metadata as a map of msgpack");
  msgpack::DocNode kernels = document.getRoot().getMap()["amdhsa.kernels"];
  if (!kernels.isArray())
    return createStringError("expected metadata with 'amdhsa.kernels'");
  for (msgpack::DocNode kernel : kernels.getArray())
    if (Error error = readKernel(kernel.getMap()))
      return error;
  return Error::success();
}

Expected<CodeObject> Reader::run() {
  result.processor = file.tryGetCPUName().value_or("").str();
  if (Error error = readNote())
    return std::move(error);
  return std::move(result);
}

} // namespace

const EntryPoint *CodeObject::find(StringRef name) const {
  for (const EntryPoint &each : entryPoints)
    if (each.name == name)
      return &each;
  return nullptr;
}

Expected<CodeObject> readCodeObject(StringRef bytes) {
  auto file =
      object::ObjectFile::createELFObjectFile(MemoryBufferRef(bytes, "image"));
  if (!file)
    return file.takeError();
  auto *elf = dyn_cast<object::ELF64LEObjectFile>(file->get());
  if (!elf || elf->getArch() != Triple::amdgcn)
    return createStringError("expected a code object for AMD's GPUs");
  return Reader(*elf).run();
}

Error checkEntryPoint(const EntryPoint &entryPoint, unsigned argumentBytes) {
  const amdhsa::kernel_descriptor_t &descriptor = entryPoint.descriptor;
  // The address of the arguments, waves of 32 lanes, and what RDNA 2 always
  // asks for: registers for scratch, which nothing reads.
  constexpr unsigned kWanted =
      amdhsa::KERNEL_CODE_PROPERTY_ENABLE_SGPR_KERNARG_SEGMENT_PTR |
      amdhsa::KERNEL_CODE_PROPERTY_ENABLE_WAVEFRONT_SIZE32;
  constexpr unsigned kKnown =
      kWanted | amdhsa::KERNEL_CODE_PROPERTY_ENABLE_SGPR_PRIVATE_SEGMENT_BUFFER;
  unsigned properties = descriptor.kernel_code_properties;
  // A stack that grows has no size of its own.
  constexpr unsigned kScratchEnabled = 1;
  if (descriptor.private_segment_fixed_size ||
      descriptor.compute_pgm_rsrc2 & kScratchEnabled)
    return createStringError(
        "expected no scratch memory, but got " +
        Twine(descriptor.private_segment_fixed_size) +
        " bytes for each lane of '" + entryPoint.name +
        "' - use smaller sizes in 'registers', or more 'lanes'");
  if (!entryPoint.hidden.empty())
    return createStringError("expected no hidden arguments, but got '" +
                             entryPoint.hidden + "' of '" + entryPoint.name +
                             "'");
  if ((properties & kWanted) != kWanted || properties & ~kKnown)
    return createStringError("expected kernel code properties 0x408 or 0x409, "
                             "but got 0x" +
                             utohexstr(properties, /*LowerCase=*/true) +
                             " of '" + entryPoint.name + "'");
  if (descriptor.kernarg_preload)
    return createStringError("expected no preloaded arguments, but got " +
                             Twine(descriptor.kernarg_preload) + " of '" +
                             entryPoint.name + "'");
  if (descriptor.kernarg_size != argumentBytes)
    return createStringError(
        "expected " + Twine(argumentBytes) + " bytes of arguments, but got " +
        Twine(descriptor.kernarg_size) + " of '" + entryPoint.name + "'");
  return Error::success();
}

} // namespace sparkle::amdgpu
