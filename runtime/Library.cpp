// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Looks at the file first: the loader maps what the headers promise, and a file
// that ends earlier would end the process.

#include "runtime/Library.h"
#include "runtime/Validate.h"

#include <cerrno>
#include <cstring>
#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sparkle::runtime {
namespace {

/// An open file.
class File {
public:
  /// A pipe without a writer is opened, too, instead of waited for.
  explicit File(const char *path)
      : descriptor(open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
  File(const File &) = delete;
  ~File() {
    if (descriptor >= 0)
      close(descriptor);
  }

  bool isOpen() const { return descriptor >= 0; }
  bool stat(struct stat &info) const { return fstat(descriptor, &info) == 0; }
  bool read(void *to, size_t size, uint64_t offset) const {
    return pread(descriptor, to, size, static_cast<off_t>(offset)) ==
           static_cast<ssize_t>(size);
  }

private:
  int descriptor;
};

/// That of this machine; none where no code is for it.
#if defined(__x86_64__)
constexpr Elf64_Half ownMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr Elf64_Half ownMachine = EM_AARCH64;
#else
constexpr Elf64_Half ownMachine = EM_NONE;
#endif

const char *getMachineName(Elf64_Half machine) {
  switch (machine) {
  case EM_X86_64:
    return "x86-64";
  case EM_AARCH64:
    return "AArch64";
  default:
    return "another processor";
  }
}

bool isSharedObject(const Elf64_Ehdr &header) {
  return !std::memcmp(header.e_ident, ELFMAG, SELFMAG) &&
         header.e_ident[EI_CLASS] == ELFCLASS64 && header.e_type == ET_DYN &&
         header.e_phentsize == sizeof(Elf64_Phdr);
}

/// Whether each part that the loader maps is there.
bool isWhole(const File &file, const Elf64_Ehdr &header, uint64_t size) {
  for (uint64_t i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr part;
    uint64_t end;
    if (!file.read(&part, sizeof(part), header.e_phoff + i * sizeof(part)) ||
        __builtin_add_overflow(part.p_offset, part.p_filesz, &end) ||
        end > size)
      return false;
  }
  uint64_t sections = uint64_t(header.e_shnum) * header.e_shentsize;
  return header.e_shoff <= size && sections <= size - header.e_shoff;
}

Status checkFile(const char *path) {
  File file(path);
  struct stat info;
  if (!file.isOpen() || !file.stat(info))
    return Status::failure(SPARKLE_FILE,
                           "expected a file '%s', but it cannot be opened: %s",
                           path, std::strerror(errno));
  if (!S_ISREG(info.st_mode))
    return Status::failure(
        SPARKLE_FILE, "expected a file '%s', but got something else", path);
  Elf64_Ehdr header;
  if (!file.read(&header, sizeof(header), 0) || !isSharedObject(header))
    return Status::failure(SPARKLE_FILE,
                           "expected a shared object '%s', but got another "
                           "file",
                           path);
  if (header.e_machine != ownMachine)
    return Status::failure(
        SPARKLE_FILE, "expected a shared object '%s' for %s, but it is for %s",
        path, getMachineName(ownMachine), getMachineName(header.e_machine));
  if (!isWhole(file, header, static_cast<uint64_t>(info.st_size)))
    return Status::failure(SPARKLE_FILE,
                           "expected a whole shared object '%s', but it is cut "
                           "off",
                           path);
  return {};
}

} // namespace

Status Library::open(const char *path, Ref<Library> &library) {
  // Without a slash only the loader knows where it is.
  if (std::strchr(path, '/'))
    if (Status status = checkFile(path); !status.isOk())
      return status;
  void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!object) {
    const char *reason = dlerror();
    return Status::failure(SPARKLE_FILE,
                           "expected a shared object '%s', but the loader "
                           "says: %s",
                           path, reason ? reason : "nothing");
  }
  auto opened = Ref<Library>::adopt(new Library(object));
  if (Status status = opened->readTable(path); !status.isOk())
    return status;
  library = std::move(opened);
  return {};
}

Status Library::readTable(const char *path) {
  auto *next = static_cast<const sparkle_kernel_t *const *>(
      dlsym(object, "sparkle_kernels"));
  if (!next)
    return Status::failure(SPARKLE_FILE,
                           "expected a table of kernels in '%s', but got none",
                           path);
  for (; *next; ++next) {
    if (Status status = validate(**next); !status.isOk())
      return status;
    table.push_back(*next);
  }
  return {};
}

Library::~Library() { dlclose(object); }

} // namespace sparkle::runtime
