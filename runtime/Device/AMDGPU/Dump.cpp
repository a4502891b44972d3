// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One folder for each submission of a queue.

#include "runtime/Device/AMDGPU/Dump.h"

#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <sys/stat.h>

namespace sparkle::runtime {
namespace {

class Dump {
public:
  explicit Dump(std::string folder) : folder(std::move(folder)) {}

  Status open();
  /// A file with these bytes.
  Status add(const std::string &name, const void *bytes, uint64_t size);
  /// An entry of a list in the index: the file, its address and size, and what
  /// `more` says, ", \"key\": value".
  Status addEntry(std::string &list, const std::string &name, uint64_t address,
                  const void *bytes, uint64_t size, const std::string &more);

private:
  const std::string folder;
};

Status fail(const std::string &path) {
  return Status::failure(SPARKLE_FILE, "expected to write '%s', but got: %s",
                         path.c_str(), std::strerror(errno));
}

std::string quote(const char *key, const std::string &value) {
  return std::string(", \"") + key + "\": \"" + value + "\"";
}

std::string number(const char *key, uint64_t value) {
  return std::string(", \"") + key + "\": " + std::to_string(value);
}

std::string hexadecimal(uint64_t value) {
  char text[32];
  std::snprintf(text, sizeof(text), "0x%" PRIx64, value);
  return text;
}

} // namespace

Status Dump::open() {
  if (mkdir(folder.c_str(), 0777) != 0)
    return fail(folder);
  return {};
}

Status Dump::add(const std::string &name, const void *bytes, uint64_t size) {
  std::string path = folder + "/" + name;
  std::FILE *file = std::fopen(path.c_str(), "wb");
  if (!file)
    return fail(path);
  bool isWritten = std::fwrite(bytes, 1, size, file) == size;
  isWritten &= std::fclose(file) == 0;
  return isWritten ? Status() : fail(path);
}

Status Dump::addEntry(std::string &list, const std::string &name,
                      uint64_t address, const void *bytes, uint64_t size,
                      const std::string &more) {
  if (!list.empty())
    list += ",\n";
  list += "    {\"file\": \"" + name + "\"" +
          quote("address", hexadecimal(address)) + number("size", size) + more +
          "}";
  return add(name, bytes, size);
}

/// "code", "commands", or "buffer".
static const char *getUse(const AMDGPURecording &recording,
                          const BufferObject &object) {
  if (&object == recording.memory().get())
    return "commands";
  for (const CheckedLaunch &launch : recording.launches())
    if (launch.code >= object.address() &&
        launch.code - object.address() < object.size())
      return "code";
  return "buffer";
}

Status dumpSubmission(AMDGPUDevice &device, const AMDGPURecording &recording,
                      const BufferObject &page,
                      const std::vector<std::vector<CheckedBuffer>> &batches,
                      uint32_t ring, uint64_t value) {
  char name[48];
  std::snprintf(name, sizeof(name), "/submission-%06" PRIu64,
                device.nextDump());
  Dump dump(device.options().dumpFolder + name);
  if (Status status = dump.open(); !status.isOk())
    return status;
  std::string buffers, arguments, objects;
  size_t index = 0;
  for (size_t batch = 0; batch < batches.size(); ++batch)
    for (const CheckedBuffer &buffer : batches[batch])
      if (Status status = dump.addEntry(
              buffers, "ib-" + std::to_string(index++) + ".bin", buffer.address,
              buffer.words, buffer.count * sizeof(uint32_t),
              number("batch", batch));
          !status.isOk())
        return status;
  index = 0;
  for (const CheckedLaunch &launch : recording.launches())
    if (Status status = dump.addEntry(
            arguments, "kernarg-" + std::to_string(index++) + ".bin",
            launch.kernarg, launch.arguments, launch.argumentSize,
            quote("entry", launch.entry) +
                quote("code", hexadecimal(launch.code)) +
                number("invocations", launch.invocations));
        !status.isOk())
      return status;
  index = 0;
  for (const Ref<BufferObject> &object : recording.objects())
    if (Status status =
            dump.addEntry(objects, "object-" + std::to_string(index++) + ".bin",
                          object->address(), object->host(), object->size(),
                          quote("use", getUse(recording, *object)));
        !status.isOk())
      return status;
  if (Status status =
          dump.addEntry(objects, "page.bin", page.address(), page.host(),
                        page.size(), quote("use", "queue"));
      !status.isOk())
    return status;
  std::string text =
      "{\n  \"device\": \"" + std::string(device.properties().name) + "\"" +
      quote("processor", device.node()->processor()) + number("ring", ring) +
      number("value", value) + ",\n  \"buffers\": [\n" + buffers +
      "\n  ],\n  \"kernargs\": [\n" + arguments + "\n  ],\n  \"objects\": [\n" +
      objects + "\n  ]\n}\n";
  return dump.add("index.json", text.data(), text.size());
}

} // namespace sparkle::runtime
