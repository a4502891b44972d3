// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The functions of libdrm_amdgpu: memory, addresses, contexts, and submissions,
// which MockRing.cpp carries out.

#include "test/runtime/AMDGPU/MockRing.h"

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <set>
#include <thread>
#include <xf86drm.h>

namespace {

enum Index : uint32_t {
#define AMDGPU_FUNCTION(name) index_##name,
#include "runtime/Device/AMDGPU/Functions.def"
  functionCount
};

const char *const names[] = {
#define AMDGPU_FUNCTION(name) #name,
#include "runtime/Device/AMDGPU/Functions.def"
};

std::unique_ptr<MockState> theState = std::make_unique<MockState>();
uint32_t calls[functionCount];
uint32_t failingFunction = 0, failingFirst = 0, failingCount = 0;
int failingError = 0;
std::mutex counting;

int step(Index function) {
  std::lock_guard<std::mutex> lock(counting);
  uint32_t number = ++calls[function];
  bool fails = failingFunction == function && number >= failingFirst &&
               number - failingFirst < failingCount;
  return fails ? failingError : 0;
}

#define STEP(name)                                                             \
  if (int error = step(index_##name))                                          \
  return error

MockRings &rings() {
  static MockRings all;
  return all;
}

} // namespace

MockState &getMockState() { return *theState; }

void failMock(const char *what) {
  std::fprintf(stderr, "mock: %s\n", what);
  std::abort();
}

#define API extern "C" __attribute__((visibility("default")))

//===----------------------------------------------------------------------===//
// The device
//===----------------------------------------------------------------------===//

API drmVersionPtr drmGetVersion(int) {
  if (step(index_drmGetVersion) || !theState->hasVersion)
    return nullptr;
  auto *version =
      static_cast<drmVersionPtr>(std::calloc(1, sizeof(drmVersion)));
  version->version_major = theState->major;
  version->version_minor = theState->minor;
  version->name = strdup(theState->driver.c_str());
  return version;
}

API void drmFreeVersion(drmVersionPtr version) {
  step(index_drmFreeVersion);
  std::free(version->name);
  std::free(version);
}

namespace {
/// One thread in a call that has to be alone.
class Alone {
public:
  Alone() {
    if (threads.fetch_add(1))
      ++theState->overlaps;
    std::this_thread::yield();
  }
  ~Alone() { threads.fetch_sub(1); }

private:
  static std::atomic<int> threads;
};
std::atomic<int> Alone::threads{0};
} // namespace

API int amdgpu_device_initialize(int, uint32_t *major, uint32_t *minor,
                                 amdgpu_device_handle *device) {
  Alone alone;
  STEP(amdgpu_device_initialize);
  *major = 3;
  *minor = 0;
  ++theState->devices;
  *device = reinterpret_cast<amdgpu_device_handle>(theState.get());
  return 0;
}

API int amdgpu_device_deinitialize(amdgpu_device_handle) {
  Alone alone;
  int error = step(index_amdgpu_device_deinitialize);
  --theState->devices;
  return error;
}

API const char *amdgpu_get_marketing_name(amdgpu_device_handle) {
  step(index_amdgpu_get_marketing_name);
  return theState->product.empty() ? nullptr : theState->product.c_str();
}

API int amdgpu_query_gpu_info(amdgpu_device_handle, amdgpu_gpu_info *info) {
  STEP(amdgpu_query_gpu_info);
  *info = {};
  info->family_id = theState->family;
  info->chip_external_rev = theState->revision;
  info->asic_id = theState->device;
  info->ids_flags = theState->isIntegrated ? AMDGPU_IDS_FLAGS_FUSION : 0;
  info->gpu_counter_freq = theState->clock;
  info->cu_active_number = theState->computeUnits;
  info->max_engine_clk = 2500000;
  return 0;
}

API int amdgpu_query_hw_ip_info(amdgpu_device_handle, unsigned type, unsigned,
                                drm_amdgpu_info_hw_ip *info) {
  STEP(amdgpu_query_hw_ip_info);
  *info = {};
  if (type != AMDGPU_HW_IP_COMPUTE)
    failMock("expected the compute rings");
  info->available_rings = theState->rings;
  info->ib_start_alignment = theState->startAlignment;
  info->ib_size_alignment = theState->sizeAlignment;
  return 0;
}

API int amdgpu_query_info(amdgpu_device_handle, unsigned id, unsigned size,
                          void *value) {
  STEP(amdgpu_query_info);
  std::memset(value, 0, size);
  if (id == AMDGPU_INFO_MEMORY) {
    auto &memory = *static_cast<drm_amdgpu_memory_info *>(value);
    memory.vram.total_heap_size = theState->vram;
    memory.cpu_accessible_vram.total_heap_size = theState->visibleVram;
    memory.gtt.total_heap_size = theState->gtt;
    return 0;
  }
  if (id != 0x23 || theState->minor < 55)
    return -EINVAL;
  std::memcpy(value, &theState->faultAddress, 8);
  std::memcpy(static_cast<char *>(value) + 8, &theState->faultStatus, 4);
  return 0;
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

API int amdgpu_bo_alloc(amdgpu_device_handle, amdgpu_bo_alloc_request *request,
                        amdgpu_bo_handle *handle) {
  STEP(amdgpu_bo_alloc);
  if (request->alloc_size % 4096 || !request->alloc_size)
    failMock("expected whole pages");
  auto *object = new MockObject;
  object->bytes =
      static_cast<char *>(std::aligned_alloc(4096, request->alloc_size));
  object->size = request->alloc_size;
  object->isVram = request->preferred_heap == AMDGPU_GEM_DOMAIN_VRAM;
  object->isVisible = !object->isVram ||
                      (request->flags & AMDGPU_GEM_CREATE_CPU_ACCESS_REQUIRED);
  std::memset(object->bytes, object->isVram ? 0xcc : 0, object->size);
  ++theState->objects;
  *handle = reinterpret_cast<amdgpu_bo_handle>(object);
  return 0;
}

static MockObject &get(amdgpu_bo_handle handle) {
  return *reinterpret_cast<MockObject *>(handle);
}

API int amdgpu_bo_free(amdgpu_bo_handle handle) {
  step(index_amdgpu_bo_free);
  if (get(handle).address)
    failMock("expected an object without an address to be freed");
  std::free(get(handle).bytes);
  delete &get(handle);
  --theState->objects;
  return 0;
}

API int amdgpu_bo_cpu_map(amdgpu_bo_handle handle, void **bytes) {
  STEP(amdgpu_bo_cpu_map);
  if (!get(handle).isVisible)
    failMock("expected an object that the host sees");
  ++theState->mappings;
  *bytes = get(handle).bytes;
  return 0;
}

API int amdgpu_bo_cpu_unmap(amdgpu_bo_handle) {
  int error = step(index_amdgpu_bo_cpu_unmap);
  --theState->mappings;
  return error;
}

API int amdgpu_va_range_alloc(amdgpu_device_handle, amdgpu_gpu_va_range,
                              uint64_t size, uint64_t alignment, uint64_t,
                              uint64_t *address, amdgpu_va_handle *range,
                              uint64_t) {
  STEP(amdgpu_va_range_alloc);
  static uint64_t next = 0x100000000;
  next = (next + alignment - 1) / alignment * alignment;
  *address = next;
  next += size;
  ++theState->ranges;
  *range = reinterpret_cast<amdgpu_va_handle>(theState.get());
  return 0;
}

API int amdgpu_va_range_free(amdgpu_va_handle) {
  int error = step(index_amdgpu_va_range_free);
  --theState->ranges;
  return error;
}

API int amdgpu_bo_va_op(amdgpu_bo_handle handle, uint64_t offset, uint64_t size,
                        uint64_t address, uint64_t, uint32_t operation) {
  STEP(amdgpu_bo_va_op);
  if (offset || size != get(handle).size)
    failMock("expected all of an object");
  rings().map(get(handle), operation == AMDGPU_VA_OP_MAP ? address : 0);
  return 0;
}

API int amdgpu_bo_list_create(amdgpu_device_handle, uint32_t count,
                              amdgpu_bo_handle *handles, uint8_t *,
                              amdgpu_bo_list_handle *result) {
  STEP(amdgpu_bo_list_create);
  auto *list = new MockList;
  for (uint32_t i = 0; i < count; ++i)
    list->objects.push_back(&get(handles[i]));
  std::set<MockObject *> unique(list->objects.begin(), list->objects.end());
  if (unique.size() != count)
    failMock("expected each object once in a list");
  ++theState->lists;
  *result = reinterpret_cast<amdgpu_bo_list_handle>(list);
  return 0;
}

API int amdgpu_bo_list_destroy(amdgpu_bo_list_handle handle) {
  delete reinterpret_cast<MockList *>(handle);
  int error = step(index_amdgpu_bo_list_destroy);
  --theState->lists;
  return error;
}

//===----------------------------------------------------------------------===//
// Submissions
//===----------------------------------------------------------------------===//

API int amdgpu_cs_ctx_create(amdgpu_device_handle,
                             amdgpu_context_handle *context) {
  STEP(amdgpu_cs_ctx_create);
  ++theState->contexts;
  *context = reinterpret_cast<amdgpu_context_handle>(rings().addContext());
  return 0;
}

API int amdgpu_cs_ctx_free(amdgpu_context_handle context) {
  int error = step(index_amdgpu_cs_ctx_free);
  rings().removeContext(*reinterpret_cast<MockContext *>(context));
  --theState->contexts;
  return error;
}

API int amdgpu_cs_query_reset_state2(amdgpu_context_handle, uint64_t *flags) {
  STEP(amdgpu_cs_query_reset_state2);
  *flags = theState->resetFlags;
  return 0;
}

API int amdgpu_cs_submit(amdgpu_context_handle context, uint64_t,
                         amdgpu_cs_request *request, uint32_t count) {
  STEP(amdgpu_cs_submit);
  if (count != 1 || request->ip_type != AMDGPU_HW_IP_COMPUTE ||
      !(theState->rings >> request->ring & 1))
    failMock("expected one submission on a compute ring");
  return rings().submit(*reinterpret_cast<MockContext *>(context), *request);
}

API int amdgpu_cs_query_fence_status(amdgpu_cs_fence *fence, uint64_t timeout,
                                     uint64_t, uint32_t *expired) {
  STEP(amdgpu_cs_query_fence_status);
  return rings().wait(*fence, timeout, *expired);
}

//===----------------------------------------------------------------------===//
// For tests
//===----------------------------------------------------------------------===//

static void fail(uint32_t function, uint32_t first, uint32_t count, int error) {
  std::lock_guard<std::mutex> lock(counting);
  for (uint32_t &called : calls)
    called = 0;
  failingFunction = function;
  failingFirst = first;
  failingCount = count;
  failingError = error;
}

static bool isFreed() {
  return !theState->objects && !theState->contexts && !theState->ranges &&
         !theState->mappings && !theState->lists && !theState->devices;
}

static void reset() {
  // A thread that nobody joins lets go of what its work held.
  for (int i = 0; i < 10000 && !isFreed(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  if (!isFreed())
    failMock("expected everything to be freed");
  *theState = {};
  rings().clear();
  fail(0, 0, 0, 0);
}

static void forget() {
  *theState = {};
  rings().forget();
}

static uint32_t countCalls(uint32_t function) {
  std::lock_guard<std::mutex> lock(counting);
  return calls[function];
}

extern "C" {
__attribute__((visibility("default"))) extern const AMDGPUMock amdgpuMock;
const AMDGPUMock amdgpuMock = {
    getMockState,
    reset,
    forget,
    functionCount,
    [](uint32_t function) { return names[function]; },
    [](uint32_t function) {
      return function != index_drmFreeVersion &&
             function != index_amdgpu_get_marketing_name;
    },
    fail,
    countCalls,
    [](const uint32_t *words, size_t count, int64_t distance) {
      rings().damage(words, count, distance);
    },
    [] { return rings().getLastAddress(); },
    [](size_t count) { rings().release(count); },
    [](uint64_t flags, int error) { rings().lose(flags, error); }};
}
