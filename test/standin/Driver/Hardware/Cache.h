// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The caches of a card as strict as they may be: nothing leaves one by chance.
// GL2 holds copies of pages; of I$, K$ and L0 with GL1 only what makes them
// stale is kept, because to read a stale value is an error here.

#ifndef SPARKLE_TEST_STANDIN_DRIVER_HARDWARE_CACHE_H
#define SPARKLE_TEST_STANDIN_DRIVER_HARDWARE_CACHE_H

#include "test/standin/Core/Core.h"
#include "test/standin/Driver/Hardware/Trace.h"

#include <memory>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace sparkle::standin {

/// GL2, which all rings of a card share.
class SecondLevel {
public:
  struct Page {
    alignas(64) uint8_t bytes[pageSize];
    Mask dirty;
    std::shared_ptr<Buffer> buffer; ///< Where it is a copy of,
    uint64_t offset;                ///< beginning here.
  };

  Page *find(const Buffer &buffer, uint64_t offset);
  /// The copy of a page, made now if there is none.
  Page &fill(const std::shared_ptr<Buffer> &buffer, uint64_t offset);
  void writeBack();
  /// Gives how many bytes are lost because nobody wrote them back.
  uint64_t invalidate();

private:
  std::unordered_map<uint64_t, std::unique_ptr<Page>> pages;
};

/// What the job that runs may reach.
struct View {
  const AddressSpace *space = nullptr;
  const std::unordered_set<const Buffer *> *buffers = nullptr;
};

/// Bits of GCR_CNTL as ACQUIRE_MEM has them.
enum GcrBits : uint32_t {
  GCR_GLI_INV = 1 << 0,
  GCR_GLM_WB = 1 << 4,
  GCR_GLM_INV = 1 << 5,
  GCR_GLK_WB = 1 << 6,
  GCR_GLK_INV = 1 << 7,
  GCR_GLV_INV = 1 << 8,
  GCR_GL1_INV = 1 << 9,
  GCR_GL2_INV = 1 << 14,
  GCR_GL2_WB = 1 << 15,
};
constexpr uint32_t gcrAll = 0xc3b1;

/// The memory of a card as one ring sees it.
class Caches final : public Port {
public:
  explicit Caches(SecondLevel &second) : second(second) {}

  const uint8_t *read(Client client, uint64_t address, size_t size) override {
    const Entry &entry = getEntry(readTables[size_t(client)], address);
    if (entry.page == address / pageSize) {
      if (entry.trace)
        entry.trace->reading.set(address % pageSize, size);
      return entry.copy->bytes + address % pageSize;
    }
    return readSlowly(client, address, size);
  }
  bool write(uint64_t address, const void *bytes, size_t size) override;
  uint8_t *modify(uint64_t address, size_t size) override;
  const std::string &getFault() const override { return fault; }

  /// Those of the other rings of the card.
  void setPeers(std::vector<const Caches *> others) { peers = others; }
  /// A job starts. What it finds in the caches is unknown.
  void beginJob(View view);
  void endJob() { traces.endJob(); }
  void beginDispatch();
  void endDispatch();
  void drain() { traces.drain(); }
  /// False if that loses data; `getFault` says which.
  bool acquire(uint32_t bits);
  void reset();

  // The command processor's own accesses. False on a fault.
  bool fetch(uint64_t address, void *bytes, size_t size);
  bool load(uint64_t address, void *bytes, size_t size);
  bool store(uint64_t address, const void *bytes, size_t size);
  /// Past the caches, for all to see.
  bool publish(uint64_t address, const void *bytes, size_t size);

  /// Of the last fault, if it was one of the page table.
  struct PageFault {
    bool isSet = false, isWrite = false;
    uint64_t address = 0;
  };
  const PageFault &getPageFault() const { return pageFault; }

private:
  struct Entry {
    uint64_t page = ~0ull;
    SecondLevel::Page *copy = nullptr;
    Trace *trace = nullptr;
  };
  static constexpr size_t tableSize = 1024;
  using Table = Entry[tableSize];
  struct Place {
    std::shared_ptr<Buffer> buffer;
    uint64_t offset = 0;
  };
  enum class Access { Read, Write, Execute };

  static Entry &getEntry(Table &table, uint64_t address) {
    return table[address / pageSize % tableSize];
  }
  bool fail(Access access, uint64_t address, size_t size, const char *what);
  bool failAtPage(Access access, uint64_t address, size_t size,
                  const char *what);
  bool locate(Access access, uint64_t address, size_t size, Place &place);
  const uint8_t *readSlowly(Client client, uint64_t address, size_t size);
  const char *findStale(Client client, const Trace *trace, uint64_t offset,
                        size_t size) const;
  const char *findUnknown(Client client) const;
  /// Does a submission on another ring write any of these bytes?
  bool isContended(uint64_t page, uint64_t offset, size_t size) const;
  SecondLevel::Page *prepareWrite(uint64_t address, size_t size, Trace *&trace,
                                  bool &isContendedPage);
  template <typename Action>
  bool forEachPage(Access access, uint64_t address, size_t size, Action action);
  void clearTables();

  SecondLevel &second;
  Traces traces;
  std::vector<const Caches *> peers;
  View view;
  uint32_t known = 0; ///< GCR_* of what this job has invalidated.
  Table readTables[unitCount], writeTable;
  std::string fault;
  PageFault pageFault;
};

} // namespace sparkle::standin

#endif // SPARKLE_TEST_STANDIN_DRIVER_HARDWARE_CACHE_H
