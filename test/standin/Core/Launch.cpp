// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The registers COMPUTE_* of a dispatch, and the registers of its waves.

#include "test/standin/Core/Launch.h"
#include "test/standin/Core/Flow.h"
#include "test/standin/Core/Memory.h"

#include <algorithm>
#include <cstring>

namespace sparkle::standin {
namespace {

// DISPATCH_INITIATOR.
constexpr uint32_t kShaderEnable = 1u << 0;
constexpr uint32_t kPartialGroups = 1u << 1;
constexpr uint32_t kForceStart = 1u << 2;
constexpr uint32_t kThreadDimensions = 1u << 5;
constexpr uint32_t kWave32 = 1u << 15;
// RSRC1.
constexpr uint32_t kPrivileged = 1u << 20;
// RSRC2.
constexpr uint32_t kScratch = 1u << 0;
constexpr uint32_t kGroupSize = 1u << 10;

constexpr uint32_t kMostThreads = 1024;
constexpr uint32_t kMostLocal = 65536;
/// Registers of user data and ids of a workgroup, which gfx1100 wants full.
constexpr unsigned kUserScalars = 16;
/// No number of any width, unlikely as an address.
constexpr uint32_t kPoison = 0xfffa5a5a;

unsigned countUserData(const Dispatch &dispatch) {
  return dispatch.rsrc2 >> 1 & 31;
}
bool hasGroupId(const Dispatch &dispatch, unsigned dimension) {
  return dispatch.rsrc2 >> (7 + dimension) & 1;
}
unsigned countGroupIds(const Dispatch &dispatch) {
  return hasGroupId(dispatch, 0) + hasGroupId(dispatch, 1) +
         hasGroupId(dispatch, 2);
}
uint64_t countThreads(const Dispatch &dispatch) {
  return uint64_t(dispatch.threads[0]) * dispatch.threads[1] *
         dispatch.threads[2];
}
uint32_t localBytes(const Dispatch &dispatch) {
  return (dispatch.rsrc2 >> 15 & 511) * 512;
}

std::string checkInitiator(const Dispatch &dispatch) {
  uint32_t bits = dispatch.initiator;
  if (!(bits & kShaderEnable))
    return "dispatch without COMPUTE_SHADER_EN (bit 0 of the initiator)";
  if (!(bits & kWave32))
    return "dispatch without CS_W32_EN (bit 15 of the initiator): the program "
           "is of wave32";
  if (bits & kPartialGroups)
    return "dispatch with PARTIAL_TG_EN, which is not modelled";
  if (bits & kThreadDimensions)
    return "dispatch with USE_THREAD_DIMENSIONS, which is not modelled";
  const uint32_t *start = dispatch.start;
  if ((bits & kForceStart) && (start[0] || start[1] || start[2]))
    return "dispatch from START (" + std::to_string(start[0]) + ", " +
           std::to_string(start[1]) + ", " + std::to_string(start[2]) +
           ") with FORCE_START_AT_000, which ignores it";
  return "";
}

std::string checkSize(const Dispatch &dispatch) {
  for (unsigned i = 0; i < 3; ++i)
    if (dispatch.threads[i] >> 16)
      return "partial size of a workgroup in NUM_THREAD, which is not "
             "modelled";
  uint64_t threads = countThreads(dispatch);
  if (threads == 0 || threads > kMostThreads)
    return "workgroup of " + std::to_string(threads) +
           " threads, expected 1 to " + std::to_string(kMostThreads);
  if (localBytes(dispatch) > kMostLocal)
    return "LDS_SIZE of " + std::to_string(localBytes(dispatch)) +
           " bytes, expected at most " + std::to_string(kMostLocal);
  return "";
}

std::string checkResources(Generation generation, const Dispatch &dispatch) {
  if (dispatch.program % 256)
    return "program at " + hex(dispatch.program) +
           ", which is not a multiple of 256";
  if (dispatch.rsrc1 & kPrivileged)
    return "PRIV of rsrc1, which a submission may not set";
  if (dispatch.rsrc2 & kScratch)
    return "SCRATCH_EN of rsrc2, but there is no scratch";
  unsigned user = countUserData(dispatch);
  if (user > kUserScalars)
    return "USER_SGPR of " + std::to_string(user) + ", expected at most " +
           std::to_string(kUserScalars);
  unsigned scalars =
      user + countGroupIds(dispatch) + (dispatch.rsrc2 & kGroupSize ? 1 : 0);
  if (generation == Generation::Gfx1100 && scalars < kUserScalars)
    return "USER_SGPR and workgroup ids of " + std::to_string(scalars) +
           " registers, but gfx1100 starts waves with " +
           std::to_string(kUserScalars);
  if (generation != Generation::Gfx1100 && dispatch.rsrc3 & 15)
    return "SHARED_VGPR_CNT of rsrc3, which waves of 32 have not";
  return "";
}

void writeScalars(const Dispatch &dispatch, const Workgroup &group,
                  Wave &wave) {
  std::fill(std::begin(wave.scalar), std::end(wave.scalar), kPoison);
  std::fill(std::begin(wave.scalarBits), std::end(wave.scalarBits), 0);
  wave.scalarFlies.reset();
  unsigned next = countUserData(dispatch);
  for (unsigned i = 0; i < next && i < kUserScalars; ++i)
    if (dispatch.userDataWritten >> i & 1)
      wave.writeScalar(i, dispatch.userData[i]);
  for (unsigned i = 0; i < 3; ++i)
    if (hasGroupId(dispatch, i))
      wave.writeScalar(next++, group.id[i]);
  if (dispatch.rsrc2 & kGroupSize)
    wave.writeScalar(next, countWaves(dispatch));
  wave.writeScalar(kExec + 1, 0);
}

void writeVectors(const Dispatch &dispatch, Wave &wave) {
  for (unsigned i = 0; i < countVectors(dispatch); ++i)
    std::fill(std::begin(wave.vector[i]), std::end(wave.vector[i]), kPoison);
  std::fill(std::begin(wave.ready), std::end(wave.ready), 0);
  std::fill(std::begin(wave.flights), std::end(wave.flights), 0);
  unsigned ids = 1 + std::min(dispatch.rsrc2 >> 11 & 3, 2u);
  bool packed = wave.isGfx11();
  uint32_t mask = wave.exec();
  for (unsigned lane = 0; lane < kLanes; ++lane) {
    uint32_t thread = wave.number * kLanes + lane, packedIds = 0;
    for (unsigned i = 0; i < ids; ++i) {
      uint32_t id = thread % dispatch.threads[i];
      thread /= dispatch.threads[i];
      packedIds |= id << 10 * i;
      if (!packed && (mask >> lane & 1))
        wave.vector[i][lane] = id;
    }
    if (packed && (mask >> lane & 1))
      wave.vector[0][lane] = packedIds;
  }
  for (unsigned i = 0; i < (packed ? 1 : ids); ++i)
    wave.ready[i] = mask;
}

} // namespace

unsigned countVectors(const Dispatch &dispatch) {
  // In steps of 8 in waves of 32; there are no more than 256.
  return std::min(8 * ((dispatch.rsrc1 & 63) + 1), kVectors);
}

unsigned countWaves(const Dispatch &dispatch) {
  return unsigned((countThreads(dispatch) + kLanes - 1) / kLanes);
}

std::string checkDispatch(Generation generation, const Dispatch &dispatch) {
  for (const std::string &refusal :
       {checkInitiator(dispatch), checkSize(dispatch),
        checkResources(generation, dispatch)})
    if (!refusal.empty())
      return refusal;
  return "";
}

void prepareGroup(const Dispatch &dispatch, Workgroup &group) {
  group.local.assign(localBytes(dispatch), 0xfa);
  group.localWritten.assign(localBytes(dispatch), 0);
}

void prepareWave(Generation generation, const Dispatch &dispatch,
                 Workgroup &group, unsigned number, Wave &wave) {
  wave.generation = generation;
  wave.group = &group;
  wave.number = number;
  wave.state = Wave::State::Runs;
  wave.pc = dispatch.program;
  wave.step = nullptr;
  wave.failure.clear();
  wave.faultAddress = 0;
  wave.vectorFlights.clear();
  wave.localFlights.clear();
  wave.scalarFlights = wave.storeFlights = 0;
  wave.sccReady = false;
  writeScalars(dispatch, group, wave);
  uint64_t left = countThreads(dispatch) - uint64_t(number) * kLanes;
  wave.writeScalar(kExec, left >= kLanes ? ~0u : (1u << left) - 1);
  writeVectors(dispatch, wave);
  resetMode(wave, dispatch.rsrc1);
  leaveMode();
}

} // namespace sparkle::standin
