// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The common access is a look into a table of pages, emptied at every dispatch.
// A page on which an access may be an error never gets into that table.

#include "test/standin/Driver/Hardware/Cache.h"
#include "test/standin/Driver/Kernel/Monitor.h"
#include "test/standin/Driver/Log.h"

#include <algorithm>
#include <cstring>

#include <drm.h>

#include <amdgpu_drm.h>

namespace sparkle::standin {

namespace {

constexpr char contended[] =
    "which a submission on another ring writes: expected a dependency between";
constexpr char unfinished[] =
    "which an earlier dispatch of this ring writes: expected EVENT_WRITE "
    "CS_PARTIAL_FLUSH between";

constexpr char stillRead[] =
    "which an earlier dispatch of this ring reads: expected EVENT_WRITE "
    "CS_PARTIAL_FLUSH between";

const char *getName(Port::Client client) {
  switch (client) {
  case Port::Client::Instruction:
    return "instruction fetch";
  case Port::Client::Scalar:
    return "scalar read";
  case Port::Client::Vector:
    return "read";
  }
  return "";
}

const char *getRemedy(Port::Client client) {
  switch (client) {
  case Port::Client::Instruction:
    return "expected ACQUIRE_MEM with GLI_INV between";
  case Port::Client::Scalar:
    return "expected ACQUIRE_MEM with GLK_INV between";
  case Port::Client::Vector:
    return "expected ACQUIRE_MEM with GLV_INV and GL1_INV between";
  }
  return "";
}

uint32_t getInvalidation(Port::Client client) {
  switch (client) {
  case Port::Client::Instruction:
    return GCR_GLI_INV;
  case Port::Client::Scalar:
    return GCR_GLK_INV;
  case Port::Client::Vector:
    return GCR_GLV_INV | GCR_GL1_INV;
  }
  return 0;
}

} // namespace

SecondLevel::Page *SecondLevel::find(const Buffer &buffer, uint64_t offset) {
  auto found = pages.find(buffer.getKey(offset));
  return found == pages.end() ? nullptr : found->second.get();
}

SecondLevel::Page &SecondLevel::fill(const std::shared_ptr<Buffer> &buffer,
                                     uint64_t offset) {
  std::unique_ptr<Page> &page = pages[buffer->getKey(offset)];
  if (!page) {
    page = std::make_unique<Page>();
    page->buffer = buffer;
    page->offset = offset;
    std::memcpy(page->bytes, buffer->bytes + offset, pageSize);
  }
  return *page;
}

void SecondLevel::writeBack() {
  for (auto &[key, page] : pages) {
    uint8_t *memory = page->buffer->bytes + page->offset;
    for (size_t i = 0; i < pageSize / 64; ++i) {
      uint64_t dirty = page->dirty.getWord(i);
      if (dirty == ~0ull)
        std::memcpy(memory + 64 * i, page->bytes + 64 * i, 64);
      else
        for (size_t j = 0; j < 64; ++j)
          if (dirty >> j & 1)
            memory[64 * i + j] = page->bytes[64 * i + j];
    }
    page->dirty.reset();
  }
}

uint64_t SecondLevel::invalidate() {
  uint64_t lost = 0;
  for (auto &[key, page] : pages)
    for (size_t i = 0; i < pageSize / 64; ++i)
      lost += __builtin_popcountll(page->dirty.getWord(i));
  pages.clear();
  return lost;
}

void Caches::clearTables() {
  for (Table &table : readTables)
    std::fill(std::begin(table), std::end(table), Entry());
  std::fill(std::begin(writeTable), std::end(writeTable), Entry());
}

void Caches::beginJob(View of) {
  view = of;
  known = 0;
}

void Caches::beginDispatch() {
  pageFault = PageFault();
  clearTables();
}

void Caches::endDispatch() {
  traces.endDispatch();
  clearTables();
}

void Caches::reset() {
  traces.reset();
  known = 0;
  clearTables();
}

bool Caches::acquire(uint32_t bits) {
  if (bits & GCR_GL2_WB)
    second.writeBack();
  if (bits & GCR_GL2_INV) {
    if (uint64_t lost = second.invalidate()) {
      fault = format("GL2_INV without GL2_WB loses %ju bytes that were written",
                     uintmax_t(lost));
      return false;
    }
  }
  known |= bits;
  for (Client client : {Client::Instruction, Client::Scalar, Client::Vector})
    if ((bits & getInvalidation(client)) == getInvalidation(client))
      traces.see(Unit(client));
  return true;
}

bool Caches::fail(Access access, uint64_t address, size_t size,
                  const char *what) {
  fault = format("%s of %zu bytes at 0x%jx, %s",
                 access == Access::Write     ? "write"
                 : access == Access::Execute ? "instruction fetch"
                                             : "read",
                 size, uintmax_t(address), what);
  return false;
}

bool Caches::failAtPage(Access access, uint64_t address, size_t size,
                        const char *what) {
  pageFault.isSet = true;
  pageFault.isWrite = access == Access::Write;
  pageFault.address = address;
  return fail(access, address, size, what);
}

bool Caches::locate(Access access, uint64_t address, size_t size,
                    Place &place) {
  Lock lock = Monitor::get().lock();
  uint64_t key = address, begin = 0;
  if (!canonicalize(key))
    return failAtPage(access, address, size, "which is in the address hole");
  const Mapping *mapping = view.space->find(key, begin);
  if (!mapping)
    return failAtPage(access, address, size, "which is not mapped");
  uint32_t needed = access == Access::Write     ? AMDGPU_VM_PAGE_WRITEABLE
                    : access == Access::Execute ? AMDGPU_VM_PAGE_EXECUTABLE
                                                : AMDGPU_VM_PAGE_READABLE;
  if (!(mapping->flags & needed))
    return failAtPage(access, address, size,
                      access == Access::Write ? "which is mapped read-only"
                      : access == Access::Execute
                          ? "which is not mapped as executable"
                          : "which is not mapped as readable");
  if (!(mapping->buffer->flags & AMDGPU_GEM_CREATE_VM_ALWAYS_VALID) &&
      !view.buffers->count(mapping->buffer.get()))
    return failAtPage(access, address, size,
                      "whose buffer is not in the list of the submission");
  place.buffer = mapping->buffer;
  place.offset = mapping->offset + key - begin;
  return true;
}

/// Why the client may see an older value of these bytes, or null.
const char *Caches::findStale(Client client, const Trace *trace,
                              uint64_t offset, size_t size) const {
  if (!trace)
    return nullptr;
  if (trace->undrained.has(offset, size))
    return unfinished;
  if (trace->unseen[size_t(client)].has(offset, size))
    return getRemedy(client);
  if (client != Client::Vector && trace->current.has(offset, size))
    return "which this very dispatch has written";
  return nullptr;
}

/// Which cache of the client this job has never invalidated, or null.
const char *Caches::findUnknown(Client client) const {
  uint32_t missing = (getInvalidation(client) | GCR_GL2_INV) & ~known;
  if (missing & GCR_GLI_INV)
    return "through I$, which may hold old code: expected ACQUIRE_MEM with "
           "GLI_INV at the start of the IB";
  if (missing & GCR_GLK_INV)
    return "through K$, which may hold old data: expected ACQUIRE_MEM with "
           "GLK_INV at the start of the IB";
  if (missing & (GCR_GLV_INV | GCR_GL1_INV))
    return "through L0 and GL1, which may hold old data: expected ACQUIRE_MEM "
           "with GLV_INV and GL1_INV at the start of the IB";
  if (missing & GCR_GL2_INV)
    return "through GL2, which may hold old data: expected ACQUIRE_MEM with "
           "GL2_INV at the start of the IB";
  return nullptr;
}

bool Caches::isContended(uint64_t page, uint64_t offset, size_t size) const {
  for (const Caches *peer : peers) {
    const Trace *trace = peer->traces.find(page);
    if (trace && trace->inFlight.has(offset, size))
      return true;
  }
  return false;
}

const uint8_t *Caches::readSlowly(Client client, uint64_t address,
                                  size_t size) {
  Access access =
      client == Client::Instruction ? Access::Execute : Access::Read;
  Place place;
  if (!locate(access, address, size, place))
    return nullptr;
  uint64_t offset = address % pageSize;
  uint64_t key = place.buffer->getKey(place.offset - offset);
  // Nobody overwrites code while it runs.
  Trace *trace =
      client == Client::Instruction ? traces.find(key) : &traces.open(key);
  const char *reason = findUnknown(client);
  if (!reason)
    reason = findStale(client, trace, offset, size);
  if (!reason && isContended(key, offset, size))
    reason = contended;
  if (reason) {
    fault = format("%s of %zu bytes at 0x%jx, %s", getName(client), size,
                   uintmax_t(address), reason);
    return nullptr;
  }
  SecondLevel::Page &page = second.fill(place.buffer, place.offset - offset);
  if (client != Client::Instruction)
    trace->reading.set(offset, size);
  bool isPlain =
      !trace ||
      (!trace->undrained.any() && !trace->unseen[size_t(client)].any() &&
       (client == Client::Vector || !trace->current.any()));
  if (isPlain && !isContended(key, 0, pageSize))
    getEntry(readTables[size_t(client)],
             address) = {address / pageSize, &page,
                         client == Client::Instruction ? nullptr : trace};
  return page.bytes + offset;
}

SecondLevel::Page *Caches::prepareWrite(uint64_t address, size_t size,
                                        Trace *&trace, bool &isContendedPage) {
  Place place;
  if (!locate(Access::Write, address, size, place))
    return nullptr;
  uint64_t offset = address % pageSize;
  uint64_t key = place.buffer->getKey(place.offset - offset);
  isContendedPage = isContended(key, 0, pageSize);
  trace = &traces.open(key);
  if (trace->undrained.has(offset, size)) {
    fail(Access::Write, address, size, unfinished);
    return nullptr;
  }
  if (trace->beingRead.has(offset, size)) {
    fail(Access::Write, address, size, stillRead);
    return nullptr;
  }
  // From now on the other clients have to look.
  for (Client client : {Client::Instruction, Client::Scalar}) {
    Entry &entry = getEntry(readTables[size_t(client)], address);
    if (entry.page == address / pageSize)
      entry = Entry();
  }
  return &second.fill(place.buffer, place.offset - offset);
}

bool Caches::write(uint64_t address, const void *bytes, size_t size) {
  Entry &entry = getEntry(writeTable, address);
  SecondLevel::Page *page = entry.copy;
  Trace *trace = entry.trace;
  uint64_t offset = address % pageSize;
  Mask *unseen = nullptr;
  if (entry.page != address / pageSize) {
    bool isContendedPage = false;
    page = prepareWrite(address, size, trace, isContendedPage);
    if (!page)
      return false;
    if (isContendedPage &&
        isContended(page->buffer->getKey(page->offset), offset, size))
      return fail(Access::Write, address, size, contended);
    unseen = &trace->unseen[size_t(Unit::Vector)];
    if (!trace->undrained.any() && !trace->beingRead.any() && !unseen->any() &&
        !isContendedPage)
      entry = {address / pageSize, page, trace};
  }
  std::memcpy(page->bytes + offset, bytes, size);
  page->dirty.set(offset, size);
  trace->current.set(offset, size);
  // The wave that wrote may read its own value.
  if (unseen)
    unseen->clear(offset, size);
  return true;
}

uint8_t *Caches::modify(uint64_t address, size_t size) {
  Trace *trace = nullptr;
  // Other rings may add to the same bytes.
  bool isContendedPage = false;
  SecondLevel::Page *page = prepareWrite(address, size, trace, isContendedPage);
  if (!page)
    return nullptr;
  page->dirty.set(address % pageSize, size);
  trace->current.set(address % pageSize, size);
  return page->bytes + address % pageSize;
}

template <typename Action>
bool Caches::forEachPage(Access access, uint64_t address, size_t size,
                         Action action) {
  pageFault = PageFault();
  for (size_t done = 0; done < size;) {
    uint64_t at = address + done, offset = at % pageSize;
    size_t count = std::min<size_t>(pageSize - offset, size - done);
    Place place;
    if (!locate(access, at, count, place))
      return false;
    place.offset -= offset;
    Trace *trace = traces.find(place.buffer->getKey(place.offset));
    if (trace && trace->undrained.has(offset, count))
      return fail(access, at, count, unfinished);
    if (trace && access == Access::Write && trace->beingRead.has(offset, count))
      return fail(access, at, count, stillRead);
    if (isContended(place.buffer->getKey(place.offset), offset, count))
      return fail(access, at, count, contended);
    action(place, offset, count, done);
    done += count;
  }
  return true;
}

bool Caches::fetch(uint64_t address, void *bytes, size_t size) {
  return forEachPage(
      Access::Read, address, size,
      [&](Place &place, uint64_t offset, size_t count, size_t done) {
        std::memcpy(static_cast<uint8_t *>(bytes) + done,
                    place.buffer->bytes + place.offset + offset, count);
      });
}

bool Caches::load(uint64_t address, void *bytes, size_t size) {
  return forEachPage(
      Access::Read, address, size,
      [&](Place &place, uint64_t offset, size_t count, size_t done) {
        auto *to = static_cast<uint8_t *>(bytes) + done;
        std::memcpy(to, place.buffer->bytes + place.offset + offset, count);
        const SecondLevel::Page *page =
            second.find(*place.buffer, place.offset);
        if (!page || !page->dirty.any())
          return;
        for (size_t i = 0; i < count; ++i)
          if (page->dirty.test(offset + i))
            to[i] = page->bytes[offset + i];
      });
}

bool Caches::store(uint64_t address, const void *bytes, size_t size) {
  return forEachPage(
      Access::Write, address, size,
      [&](Place &place, uint64_t offset, size_t count, size_t done) {
        SecondLevel::Page &page = second.fill(place.buffer, place.offset);
        std::memcpy(page.bytes + offset,
                    static_cast<const uint8_t *>(bytes) + done, count);
        page.dirty.set(offset, count);
        for (Mask &mask :
             traces.open(place.buffer->getKey(place.offset)).unseen)
          mask.set(offset, count);
      });
}

bool Caches::publish(uint64_t address, const void *bytes, size_t size) {
  pageFault = PageFault();
  Place place;
  if (!locate(Access::Write, address, size, place))
    return false;
  std::memcpy(place.buffer->bytes + place.offset, bytes, size);
  uint64_t offset = address % pageSize;
  SecondLevel::Page *page = second.find(*place.buffer, place.offset - offset);
  if (page)
    std::memcpy(page->bytes + offset, bytes, size);
  return true;
}

} // namespace sparkle::standin
