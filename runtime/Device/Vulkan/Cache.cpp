// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A file is a header of our own and the driver's bytes. Drivers check their
// bytes too little: a file counts only if every field fits and the checksum is
// right. It is written beside its place and renamed, so that other processes
// see a whole one or none.

#include "runtime/Device/Vulkan/Cache.h"
#include "runtime/CacheFolder.h"
#include "runtime/Hash.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <unistd.h>

namespace sparkle::runtime {

namespace {

struct Header {
  char magic[8];
  uint32_t version;
  uint32_t vendor;
  uint32_t device;
  uint32_t driver;
  uint8_t uuid[VK_UUID_SIZE];
  uint64_t image;
  uint64_t size;     // of the driver's bytes
  uint64_t checksum; // of them
};
static_assert(sizeof(Header) == 64, "no padding is written");

struct File {
  explicit File(FILE *file) : file(file) {}
  ~File() {
    if (file)
      std::fclose(file);
  }
  FILE *file;
};

} // namespace

static constexpr uint32_t formatVersion = 1;
/// No kernel's pipelines are larger; what claims to be is damaged.
static constexpr uint64_t maxSize = uint64_t(64) << 20;

static Header describe(const VulkanDevice &device, uint64_t image) {
  const VkPhysicalDeviceProperties &properties = device.adapter().properties;
  Header header = {};
  std::memcpy(header.magic, "SPKLPIPE", sizeof(header.magic));
  header.version = formatVersion;
  header.vendor = properties.vendorID;
  header.device = properties.deviceID;
  header.driver = properties.driverVersion;
  std::memcpy(header.uuid, properties.pipelineCacheUUID, VK_UUID_SIZE);
  header.image = image;
  return header;
}

/// The driver's bytes of a file that fits `expected`, or none.
static std::vector<char> readFile(const std::string &path,
                                  const Header &expected) {
  File file(std::fopen(path.c_str(), "rbe"));
  Header header;
  if (!file.file || std::fread(&header, sizeof(header), 1, file.file) != 1)
    return {};
  Header wanted = expected;
  wanted.size = header.size;
  wanted.checksum = header.checksum;
  if (std::memcmp(&header, &wanted, sizeof(header)) != 0 ||
      header.size > maxSize)
    return {};
  std::vector<char> bytes(header.size);
  if (std::fread(bytes.data(), 1, bytes.size(), file.file) != bytes.size() ||
      std::fgetc(file.file) != EOF ||
      hashBytes(bytes.data(), bytes.size()) != header.checksum)
    return {};
  return bytes;
}

static bool writeFile(const std::string &path, Header header,
                      const std::vector<char> &bytes) {
  header.size = bytes.size();
  header.checksum = hashBytes(bytes.data(), bytes.size());
  std::string temporary = path + ".XXXXXX";
  if (!makeFolders(path))
    return false;
  int descriptor = mkstemp(temporary.data());
  if (descriptor < 0)
    return false;
  FILE *file = fdopen(descriptor, "wb");
  if (!file)
    close(descriptor);
  bool isWritten =
      file && std::fwrite(&header, sizeof(header), 1, file) == 1 &&
      std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size();
  if (file)
    isWritten = std::fclose(file) == 0 && isWritten;
  if (isWritten && std::rename(temporary.c_str(), path.c_str()) == 0)
    return true;
  unlink(temporary.c_str());
  return false;
}

PipelineCache::PipelineCache(VulkanDevice &device, uint64_t imageHash)
    : device(device), imageHash(imageHash) {
  if (device.cacheFolder().empty())
    return;
  Header header = describe(device, imageHash);
  char name[32];
  std::snprintf(
      name, sizeof(name), "/%016llx.pipelines",
      static_cast<unsigned long long>(hashBytes(&header, sizeof(header))));
  path = device.cacheFolder() + name;
  old = readFile(path, header);
  VkPipelineCacheCreateInfo info = {};
  info.sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO;
  info.initialDataSize = old.size();
  info.pInitialData = old.data();
  Status status = device.make(device.functions().CreatePipelineCache,
                              "CreatePipelineCache", info, cache);
  if (!status.isOk())
    device.settings().log(1, "%s", status.message());
}

PipelineCache::~PipelineCache() {
  if (cache)
    device.functions().DestroyPipelineCache(device.handle(), cache, nullptr);
}

void PipelineCache::save() {
  if (!cache)
    return;
  const Functions &vk = device.functions();
  size_t size = 0;
  VkResult result =
      vk.GetPipelineCacheData(device.handle(), cache, &size, nullptr);
  std::vector<char> bytes(size);
  if (result == VK_SUCCESS)
    result =
        vk.GetPipelineCacheData(device.handle(), cache, &size, bytes.data());
  Status status = device.check(result, "GetPipelineCacheData");
  if (!status.isOk())
    return device.settings().log(1, "%s", status.message());
  bytes.resize(size);
  if (result != VK_SUCCESS || bytes == old || bytes.size() > maxSize)
    return;
  if (!writeFile(path, describe(device, imageHash), bytes))
    device.settings().log(1, "expected to write '%s', but got: %s",
                          path.c_str(), std::strerror(errno));
}

} // namespace sparkle::runtime
