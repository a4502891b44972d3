// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One table for both generations; a few addresses mean something else on the
// other one.

#include "test/standin/Driver/Hardware/Registers.h"
#include "test/standin/Driver/Log.h"
#include "test/standin/Driver/Settings.h"

namespace sparkle::standin {

namespace {

enum Where : uint8_t { Gfx10 = 1, Gfx11 = 2, Both = 3 };
/// May a program write it, and must it before a dispatch?
enum Use : uint8_t { Forbidden, Allowed, Needed };

struct Row {
  uint32_t address;
  const char *name;
  Where where;
  Use use;
};

constexpr Row table[] = {
    {0xb800, "DISPATCH_INITIATOR", Both, Forbidden},
    {0xb804, "DIM_X", Both, Forbidden},
    {0xb808, "DIM_Y", Both, Forbidden},
    {0xb80c, "DIM_Z", Both, Forbidden},
    {0xb810, "START_X", Both, Needed},
    {0xb814, "START_Y", Both, Needed},
    {0xb818, "START_Z", Both, Needed},
    {0xb81c, "NUM_THREAD_X", Both, Needed},
    {0xb820, "NUM_THREAD_Y", Both, Needed},
    {0xb824, "NUM_THREAD_Z", Both, Needed},
    {0xb830, "PGM_LO", Both, Needed},
    {0xb834, "PGM_HI", Both, Needed},
    {0xb840, "DISPATCH_SCRATCH_BASE_LO", Gfx11, Allowed},
    {0xb844, "DISPATCH_SCRATCH_BASE_HI", Gfx11, Allowed},
    {0xb848, "PGM_RSRC1", Both, Needed},
    {0xb84c, "PGM_RSRC2", Both, Needed},
    {0xb850, "VMID", Both, Forbidden},
    {0xb854, "RESOURCE_LIMITS", Both, Needed},
    {0xb858, "STATIC_THREAD_MGMT_SE0", Both, Needed},
    {0xb85c, "STATIC_THREAD_MGMT_SE1", Both, Needed},
    {0xb860, "TMPRING_SIZE", Both, Needed},
    {0xb864, "STATIC_THREAD_MGMT_SE2", Both, Needed},
    {0xb868, "STATIC_THREAD_MGMT_SE3", Both, Needed},
    {0xb86c, "RESTART_X", Both, Allowed},
    {0xb870, "RESTART_Y", Both, Allowed},
    {0xb874, "RESTART_Z", Both, Allowed},
    {0xb888, "REQ_CTRL", Both, Allowed},
    {0xb890, "USER_ACCUM_0", Both, Allowed},
    {0xb894, "USER_ACCUM_1", Both, Allowed},
    {0xb898, "USER_ACCUM_2", Both, Allowed},
    {0xb89c, "USER_ACCUM_3", Both, Allowed},
    {0xb8a0, "PGM_RSRC3", Both, Needed},
    {0xb8a8, "SHADER_CHKSUM", Both, Allowed},
    {0xb8ac, "STATIC_THREAD_MGMT_SE4", Gfx11, Needed},
    {0xb8b0, "STATIC_THREAD_MGMT_SE5", Gfx11, Needed},
    {0xb8b4, "STATIC_THREAD_MGMT_SE6", Gfx11, Needed},
    {0xb8b8, "STATIC_THREAD_MGMT_SE7", Gfx11, Needed},
    {0xb8ac, "RELAUNCH", Gfx10, Forbidden},
    {0xb8b0, "WAVE_RESTORE_ADDR_LO", Gfx10, Forbidden},
    {0xb8b4, "WAVE_RESTORE_ADDR_HI", Gfx10, Forbidden},
    {0xb8bc, "DISPATCH_INTERLEAVE", Gfx11, Allowed},
    {0xb9f4, "DISPATCH_TUNNEL", Both, Allowed},
};

constexpr uint32_t userDataCount = 16;

Where getWhere(Generation generation) {
  return generation == Generation::Gfx1100 ? Gfx11 : Gfx10;
}

const Row *find(Generation generation, uint32_t address) {
  for (const Row &row : table)
    if (row.address == address && (row.where & getWhere(generation)))
      return &row;
  return nullptr;
}

bool isUserData(uint32_t address) {
  return address >= USER_DATA_0 && address < USER_DATA_0 + 4 * userDataCount;
}

} // namespace

std::string getRegisterName(Generation generation, uint32_t address) {
  if (isUserData(address))
    return format("COMPUTE_USER_DATA_%u", (address - USER_DATA_0) / 4);
  const Row *row = find(generation, address);
  return row ? std::string("COMPUTE_") + row->name : "";
}

std::string Registers::write(uint32_t address, uint32_t value) {
  std::string name = getRegisterName(generation, address);
  if (name.empty())
    return format("0x%04X is no compute register of %s", address,
                  standin::getName(generation));
  const Row *row = find(generation, address);
  if (row && row->use == Forbidden)
    return format("0x%04X is %s on %s, which no program may write", address,
                  name.c_str(), standin::getName(generation));
  values[address] = value;
  return "";
}

uint32_t Registers::get(uint32_t address) const {
  auto found = values.find(address);
  return found == values.end() ? 0xdeadbeef : found->second;
}

std::string Registers::checkDispatch() const {
  for (const Row &row : table)
    if (row.use == Needed && (row.where & getWhere(generation)) &&
        !isWritten(row.address))
      return format("COMPUTE_%s has not been written by this IB", row.name);
  uint64_t masks = 0;
  for (const Row &row : table)
    if (std::string(row.name).rfind("STATIC_THREAD_MGMT", 0) == 0 &&
        isWritten(row.address))
      masks |= get(row.address);
  if (!masks)
    return "COMPUTE_STATIC_THREAD_MGMT_SE*: expected compute units to run on, "
           "but all masks are 0";
  uint64_t threads = 1;
  for (uint32_t i = 0; i < 3; ++i) {
    uint32_t value = get(NUM_THREAD_X + 4 * i);
    if (!value || value > 1024)
      return format("COMPUTE_NUM_THREAD_%c: expected 1 to 1024, but got %u",
                    "XYZ"[i], value);
    threads *= value;
  }
  if (threads > 1024)
    return format("COMPUTE_NUM_THREAD: expected at most 1024 threads, but got "
                  "%ju",
                  uintmax_t(threads));
  return "";
}

} // namespace sparkle::standin
