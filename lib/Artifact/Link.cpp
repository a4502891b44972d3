// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Runs ld.lld in a directory of its own. What the object leaves undefined is
// looked up in stubs: a library with the right name and symbols but no code,
// made on the spot, is all that a linker wants to see.

#include "lib/Artifact/Link.h"

#include "llvm/ADT/StringSwitch.h"
#include "llvm/BinaryFormat/ELF.h"
#include "llvm/InterfaceStub/ELFObjHandler.h"
#include "llvm/InterfaceStub/IFSStub.h"
#include "llvm/Object/ObjectFile.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace sparkle {
namespace {

/// The libraries that an object may need, by the name the loader looks for.
constexpr StringLiteral libraries[] = {"libomp.so.5", "libc.so.6", "libm.so.6"};

/// All that code generation emits and does not define: OpenMP, what LLVM makes
/// of loops, the reference's scratch; what is left are functions of libm.
StringRef getLibrary(StringRef symbol) {
  if (symbol.starts_with("__kmpc_") || symbol.starts_with("omp_"))
    return libraries[0];
  return StringSwitch<StringRef>(symbol)
      .Cases({"memcpy", "memmove", "memset", "malloc", "free"}, libraries[1])
      .Default(libraries[2]);
}

/// A directory that goes away with everything in it.
class Workplace {
public:
  Error create() {
    if (std::error_code error =
            sys::fs::createUniqueDirectory("sparkle-link", directory))
      return createStringError(error, "cannot create a temporary directory: " +
                                          error.message());
    return Error::success();
  }
  ~Workplace() {
    if (!directory.empty())
      sys::fs::remove_directories(directory);
  }
  std::string path(const Twine &name) const {
    SmallString<128> result(directory);
    sys::path::append(result, name);
    return result.str().str();
  }
  Error write(StringRef file, StringRef bytes) const {
    std::error_code error;
    raw_fd_ostream out(path(file), error);
    if (!error) {
      out << bytes;
      out.close();
      error = out.error();
      out.clear_error();
    }
    if (error)
      return createStringError(error, "cannot write '" + path(file) +
                                          "': " + error.message());
    return Error::success();
  }

private:
  SmallString<128> directory;
};

/// The linker beside the LLVM that this was built with, or the one on PATH.
Expected<std::string> findLinker() {
  if (sys::fs::can_execute(SPARKLE_LINKER))
    return SPARKLE_LINKER;
  if (ErrorOr<std::string> found = sys::findProgramByName("ld.lld"))
    return *found;
  return createStringError("expected the linker ld.lld beside LLVM or on PATH, "
                           "but got none - install lld");
}

/// `emulation`: the machine, as linkers name it.
Error runLinker(const Workplace &workplace, StringRef emulation,
                ArrayRef<std::string> arguments) {
  Expected<std::string> linker = findLinker();
  if (!linker)
    return linker.takeError();
  SmallVector<StringRef> line{*linker, "-m", emulation, "-shared", "-z", "now",
                              "-z", "noexecstack", "--build-id=none",
                              "--no-undefined", "--gc-sections",
                              // Its table has its own kernels, whatever the
                              // program calls by their names.
                              "-Bsymbolic"};
  line.append(arguments.begin(), arguments.end());
  std::string log = workplace.path("log"), reason;
  std::optional<StringRef> redirects[] = {StringRef(), StringRef(log),
                                          StringRef(log)};
  int status = sys::ExecuteAndWait(*linker, line, std::nullopt, redirects, 0, 0,
                                   &reason);
  if (status == 0)
    return Error::success();
  if (auto text = MemoryBuffer::getFile(log); text && reason.empty())
    reason = (*text)->getBuffer().trim().str();
  return createStringError("the linker failed: " + reason);
}

/// What the linker has to know of the object.
struct Needs {
  StringRef emulation;
  uint16_t machine;
  SmallVector<std::string> undefined;
};

Expected<Needs> readObject(StringRef object) {
  auto file =
      object::ObjectFile::createObjectFile(MemoryBufferRef(object, "object"));
  if (!file)
    return file.takeError();
  Needs needs;
  bool isArm = (*file)->getArch() == Triple::aarch64;
  needs.emulation = isArm ? "aarch64linux" : "elf_x86_64";
  needs.machine = isArm ? ELF::EM_AARCH64 : ELF::EM_X86_64;
  for (const object::SymbolRef &symbol : (*file)->symbols()) {
    Expected<uint32_t> flags = symbol.getFlags();
    if (!flags)
      return flags.takeError();
    if (!(*flags & object::SymbolRef::SF_Undefined))
      continue;
    Expected<StringRef> name = symbol.getName();
    if (!name)
      return name.takeError();
    if (!name->empty())
      needs.undefined.push_back(name->str());
  }
  return needs;
}

/// Writes a stub of `library` to the workplace if what is undefined comes from
/// it, and adds it to `inputs`.
Error addStub(const Workplace &workplace, StringRef library, const Needs &needs,
              SmallVectorImpl<std::string> &inputs) {
  ifs::IFSStub stub;
  for (const std::string &symbol : needs.undefined)
    if (getLibrary(symbol) == library) {
      stub.Symbols.emplace_back(symbol);
      stub.Symbols.back().Type = ifs::IFSSymbolType::Func;
    }
  if (stub.Symbols.empty())
    return Error::success();
  stub.SoName = library.str();
  stub.Target.Arch = needs.machine;
  stub.Target.BitWidth = ifs::IFSBitWidthType::IFS64;
  stub.Target.Endianness = ifs::IFSEndiannessType::Little;
  inputs.push_back(workplace.path(library));
  return ifs::writeBinaryStub(inputs.back(), stub);
}

/// Links `inputs` and reads what comes out.
Error linkInputs(const Workplace &workplace, StringRef emulation,
                 SmallVector<std::string> inputs,
                 SmallVectorImpl<char> &shared) {
  std::string output = workplace.path("kernel.so");
  inputs.append({"-o", output});
  if (Error error = runLinker(workplace, emulation, inputs))
    return error;
  auto bytes = MemoryBuffer::getFile(output, /*IsText=*/false,
                                     /*RequiresNullTerminator=*/false);
  if (!bytes)
    return createStringError(bytes.getError(), "cannot read '" + output + "'");
  shared.assign((*bytes)->getBufferStart(), (*bytes)->getBufferEnd());
  return Error::success();
}

} // namespace

Error linkShared(StringRef object, SmallVectorImpl<char> &shared) {
  Workplace workplace;
  if (Error error = workplace.create())
    return error;
  if (Error error = workplace.write("kernel.o", object))
    return error;
  Expected<Needs> needs = readObject(object);
  if (!needs)
    return needs.takeError();

  SmallVector<std::string> inputs{workplace.path("kernel.o")};
  for (StringRef library : libraries)
    if (Error error = addStub(workplace, library, *needs, inputs))
      return error;
  return linkInputs(workplace, needs->emulation, inputs, shared);
}

Error linkAlone(StringRef object, StringRef emulation,
                SmallVectorImpl<char> &shared) {
  Workplace workplace;
  if (Error error = workplace.create())
    return error;
  if (Error error = workplace.write("kernel.o", object))
    return error;
  return linkInputs(workplace, emulation, {workplace.path("kernel.o")}, shared);
}

} // namespace sparkle
