// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Asks every render node who it is. There is no list to trust: a node is one of
// ours if its driver says so.

#include "runtime/Device/AMDGPU/Node.h"

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <grp.h>
#include <iterator>
#include <mutex>
#include <sys/stat.h>
#include <unistd.h>

namespace sparkle::runtime {

/// The numbers that render nodes have.
static constexpr int firstNode = 128, lastNode = 191;
/// Kernels count bytes with 32 bits (sparkle/kernel.h).
static constexpr uint64_t maxBuffer = uint64_t(1) << 32;
/// Kernels move vectors of 16 bytes.
static constexpr uint32_t alignment = 16;
static constexpr uint32_t maxInvocations = 1024;
static constexpr uint32_t localMemory = 65536;

// AMDGPU_FAMILY_*: this libdrm's header ends before some of them.
static constexpr uint32_t familyNavi = 143, familyVanGogh = 144;
static constexpr uint32_t familyNavi3 = 145, familyRembrandt = 146;
static constexpr uint32_t familyRaphael = 149, familyMendocino = 151;

namespace {

/// Chips by family and external revision (Mesa's amdgpu_asic_addr.h; PAL has
/// the same ranges), and the processor among those that the compiler knows
/// whose code they run: LLVM gives the ones of a row the same features.
struct Chip {
  uint32_t family;
  uint32_t first, end; // revisions
  const char *processor;
  GpuGeneration generation;
};
const Chip chips[] = {
    // Navi 21 to 24: gfx1030, gfx1031, gfx1032, gfx1034.
    {familyNavi, 0x28, 0x50, "gfx1030", GpuGeneration::Gfx10},
    // Navi 31, 33 and 32: gfx1100, gfx1102, gfx1101.
    {familyNavi3, 0x01, 0xff, "gfx1100", GpuGeneration::Gfx11},
    // gfx1033, gfx1035, gfx1036, gfx1036.
    {familyVanGogh, 0x01, 0xff, "gfx1036", GpuGeneration::Gfx10},
    {familyRembrandt, 0x01, 0xff, "gfx1036", GpuGeneration::Gfx10},
    {familyRaphael, 0x01, 0xff, "gfx1036", GpuGeneration::Gfx10},
    {familyMendocino, 0x01, 0xff, "gfx1036", GpuGeneration::Gfx10},
};

/// Closes a file.
class File {
public:
  explicit File(int number) : number(number) {}
  File(const File &) = delete;
  ~File() {
    if (number >= 0)
      close(number);
  }
  const int number;
};

} // namespace

//===----------------------------------------------------------------------===//
// Finding
//===----------------------------------------------------------------------===//

/// Who may open a node, and how one becomes such a person.
static Status makeNotOpened(const std::string &path, int error) {
  if (error != EACCES && error != EPERM)
    return Status::failure(SPARKLE_UNAVAILABLE,
                           "expected to open '%s', but got: %s", path.c_str(),
                           std::strerror(error));
  struct stat state;
  struct group group, *found = nullptr;
  char names[1024];
  if (stat(path.c_str(), &state) == 0)
    getgrgid_r(state.st_gid, &group, names, sizeof(names), &found);
  const char *name = found ? found->gr_name : "render";
  return Status::failure(
      SPARKLE_UNAVAILABLE,
      "expected to open '%s', but got no permission - it is for group '%s': "
      "usermod -aG %s USER, or pass the node to the container",
      path.c_str(), name, name);
}

Status Node::findAll(const Ref<DrmLibrary> &library,
                     std::vector<Ref<Node>> &nodes,
                     std::vector<Status> &reasons) {
  const char *folder = std::getenv("SPARKLE_AMDGPU_NODES");
  if (!folder || !*folder)
    folder = "/dev/dri";
  bool isEmpty = true;
  std::vector<Status> others; // nodes of other drivers
  for (int i = firstNode; i <= lastNode; ++i) {
    std::string path = folder + ("/renderD" + std::to_string(i));
    // No look before: there may be a node where no folder shows one.
    File file(::open(path.c_str(), O_RDWR | O_CLOEXEC));
    int error = file.number < 0 ? errno : 0;
    if (error == ENOENT)
      continue;
    isEmpty = false;
    auto node = Ref<Node>::adopt(new Node(library, path));
    Status status =
        error ? makeNotOpened(path, error) : node->checkDriver(file.number);
    if (!error && !status.isOk()) {
      others.push_back(status);
      continue;
    }
    if (status.isOk())
      status = node->open(file.number);
    if (status.isOk())
      nodes.push_back(std::move(node));
    else
      reasons.push_back(status);
  }
  reasons.insert(reasons.end(), others.begin(), others.end());
  if (isEmpty)
    return Status::failure(SPARKLE_UNAVAILABLE,
                           "expected a render node in '%s', but got none",
                           folder);
  return {};
}

/// Of the process: libdrm shares what it makes of a node, and finds in its list
/// what another thread is about to free (amdgpu_device_reference counts down
/// before it takes the lock of the list).
static std::mutex handles;

Status Node::open(int file) {
  uint32_t major, minor;
  amdgpu_device_handle made = nullptr;
  std::unique_lock<std::mutex> lock(handles);
  // The library keeps a copy of the file.
  int error = functions().amdgpu_device_initialize(file, &major, &minor, &made);
  lock.unlock();
  if (error < 0)
    return toStatus(error, "amdgpu_device_initialize");
  device = made;
  return inspect();
}

Node::~Node() {
  if (!device)
    return;
  std::lock_guard<std::mutex> lock(handles);
  functions().amdgpu_device_deinitialize(device);
}

/// amdgpu_device_initialize would use what drmGetVersion gives, null or not.
Status Node::checkDriver(int file) {
  drmVersionPtr version = functions().drmGetVersion(file);
  if (!version)
    return Status::failure(SPARKLE_UNAVAILABLE,
                           "expected a driver of graphics behind '%s', but got "
                           "none",
                           path.c_str());
  std::string name(version->name ? version->name : "");
  major = version->version_major;
  minor = version->version_minor;
  patch = version->version_patchlevel;
  functions().drmFreeVersion(version);
  if (name != "amdgpu" || major != 3)
    return Status::failure(SPARKLE_UNAVAILABLE,
                           "expected driver amdgpu 3 behind '%s', but got "
                           "'%s' %d.%d",
                           path.c_str(), name.c_str(), major, minor);
  return {};
}

//===----------------------------------------------------------------------===//
// What it is
//===----------------------------------------------------------------------===//

Status Node::inspect() {
  const DrmFunctions &drm = functions();
  if (Status status = toStatus(drm.amdgpu_query_gpu_info(device, &info),
                               "amdgpu_query_gpu_info");
      !status.isOk())
    return status;
  const char *name = drm.amdgpu_get_marketing_name(device);
  product = name && *name ? name : "AMD GPU";
  if (Status status = identify(); !status.isOk())
    return status;
  if (Status status = findRings(); !status.isOk())
    return status;
  return toStatus(
      drm.amdgpu_query_info(device, AMDGPU_INFO_MEMORY, sizeof(heaps), &heaps),
      "amdgpu_query_info(MEMORY)");
}

Status Node::identify() {
  for (const Chip &candidate : chips)
    if (candidate.family == info.family_id &&
        info.chip_external_rev >= candidate.first &&
        info.chip_external_rev < candidate.end) {
      chip = candidate.processor;
      packets = candidate.generation;
      return {};
    }
  return Status::failure(
      SPARKLE_UNAVAILABLE,
      "expected '%s' to run code for gfx1030, gfx1036 or gfx1100, but got "
      "device 0x%x of family %u, revision 0x%x",
      product.c_str(), info.asic_id, info.family_id, info.chip_external_rev);
}

Status Node::findRings() {
  drm_amdgpu_info_hw_ip compute = {};
  if (Status status = toStatus(functions().amdgpu_query_hw_ip_info(
                                   device, AMDGPU_HW_IP_COMPUTE, 0, &compute),
                               "amdgpu_query_hw_ip_info");
      !status.isOk())
    return status;
  for (uint32_t i = 0; i < 8; ++i)
    if (compute.available_rings >> i & 1)
      available.push_back(i);
  if (available.empty())
    return Status::failure(SPARKLE_UNAVAILABLE,
                           "expected '%s' to have compute rings, but its "
                           "driver has none enabled",
                           product.c_str());
  if (compute.ib_start_alignment > ibAlignment() ||
      compute.ib_size_alignment > 32)
    return Status::failure(
        SPARKLE_UNAVAILABLE,
        "expected '%s' to take indirect buffers of whole 32 bytes at multiples "
        "of %u, but it wants %u at %u",
        product.c_str(), ibAlignment(), compute.ib_size_alignment,
        compute.ib_start_alignment);
  return {};
}

double Node::peak() const {
  // 64 lanes of a compute unit, a multiply-add being two; kHz.
  return info.cu_active_number * 128.0 *
         static_cast<double>(std::max<uint64_t>(info.max_engine_clk, 100000)) *
         1000;
}

void Node::addRange(uint64_t address, uint64_t size) {
  std::lock_guard<std::mutex> lock(mutex);
  ranges[address] = size;
}

void Node::removeRange(uint64_t address) {
  std::lock_guard<std::mutex> lock(mutex);
  ranges.erase(address);
}

std::string Node::describePageFault() {
  constexpr unsigned gpuVmFault = 0x23; // AMDGPU_INFO_GPUVM_FAULT
  constexpr uint64_t close = 1 << 20;
  struct {
    uint64_t address;
    uint32_t status, hub;
  } fault = {};
  if (minor < 55 ||
      functions().amdgpu_query_info(device, gpuVmFault, sizeof(fault), &fault) <
          0 ||
      !fault.status)
    return "";
  char text[96];
  std::lock_guard<std::mutex> lock(mutex);
  auto next = ranges.upper_bound(fault.address);
  if (next != ranges.begin()) {
    auto [address, size] = *std::prev(next);
    if (fault.address - address >= size &&
        fault.address - address - size < close) {
      std::snprintf(text, sizeof(text),
                    "; page fault at 0x%" PRIx64 ", behind %" PRIu64
                    " bytes at 0x%" PRIx64,
                    fault.address, size, address);
      return text;
    }
  }
  std::snprintf(text, sizeof(text), "; page fault at 0x%" PRIx64,
                fault.address);
  return text;
}

void Node::describe(uint32_t index, sparkle_device_properties_t &out) const {
  std::snprintf(out.name, sizeof(out.name), "amdgpu:%u", index);
  std::snprintf(out.description, sizeof(out.description), "%.100s (%s)",
                product.c_str(), chip);
  std::snprintf(out.driver, sizeof(out.driver), "amdgpu %d.%d.%d, %.80s", major,
                minor, patch, path.c_str());
  out.target = SPARKLE_TARGET_AMDGPU;
  out.index = index;
  out.features = SPARKLE_GPU_STORAGE_16BIT;
  const drm_amdgpu_heap_info &far = isUnified() ? heaps.gtt : heaps.vram;
  out.memory = far.total_heap_size;
  out.max_buffer = std::min<uint64_t>(far.total_heap_size, maxBuffer);
  out.alignment = alignment;
  out.invocations = maxInvocations;
  out.local_memory = localMemory;
  out.queues = static_cast<uint32_t>(available.size());
  out.has_copy_engine = false;
  out.has_timestamps = clock() != 0;
  out.is_unified = isUnified();
  out.runs_on_host = false;
}

} // namespace sparkle::runtime
