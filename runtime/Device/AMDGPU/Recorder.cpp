// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From commands to packets.

#include "runtime/Device/AMDGPU/Recorder.h"

#include <algorithm>
#include <cstring>

namespace sparkle::runtime {

/// Of the arguments of kernels: lines of the scalar cache.
static constexpr uint64_t argumentAlignment = 64;

static uint64_t roundUp(uint64_t value, uint64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

AMDGPURecorder::AMDGPURecorder(AMDGPURecording &recording, uint64_t address,
                               char *host)
    : recording(recording), address(address), host(host) {}

Status AMDGPURecorder::record() {
  for (const Command &command : recording.commands) {
    Status status;
    switch (command.kind) {
    case SPARKLE_COMMAND_KERNEL:
      status = dispatch(command);
      break;
    case SPARKLE_COMMAND_COPY:
      copy(command.arguments[0], command.arguments[1]);
      break;
    default:
      fill(command.arguments[0], command.fill);
    }
    if (!status.isOk())
      return status;
    finishCommand();
  }
  endPart();
  uint64_t offset = argumentEnd;
  for (AMDGPURecording::Part &part : parts) {
    part.offset = roundUp(offset, recording.amdgpu.node()->ibAlignment());
    offset = part.offset + part.words.size() * sizeof(uint32_t);
  }
  return {};
}

uint64_t AMDGPURecorder::size() const {
  if (parts.empty())
    return argumentEnd;
  return parts.back().offset + parts.back().words.size() * sizeof(uint32_t);
}

//===----------------------------------------------------------------------===//
// Parts
//===----------------------------------------------------------------------===//

double AMDGPURecorder::secondsOf(double operations) const {
  return operations / (recording.amdgpu.node()->peak() * leastOfPeak);
}

/// Where work of that estimate goes.
Words &AMDGPURecorder::makeRoom(double seconds) {
  if (isOpen && spent + seconds > maxSubmissionTime && spent > 0)
    endPart();
  if (!isOpen) {
    parts.emplace_back();
    isOpen = true;
    spent = 0;
    // What the host, or another ring, wrote since is in no cache then; nor is
    // what lay at the address of new code.
    writeAcquire(parts.back().words, Acquire::All);
  }
  spent += seconds;
  return parts.back().words;
}

/// The kernel may begin with the next submission before the waves of this one
/// have ended.
void AMDGPURecorder::endPart() {
  if (!isOpen)
    return;
  writeFlush(parts.back().words);
  writePadding(parts.back().words);
  isOpen = false;
  pending.clear();
}

//===----------------------------------------------------------------------===//
// Order
//===----------------------------------------------------------------------===//

void AMDGPURecorder::use(const BufferObject &object, uint64_t offset,
                         uint64_t size, bool isWrite) {
  if (size)
    next.push_back({&object, offset, offset + size, isWrite});
}

void AMDGPURecorder::use(const View &view, bool isWrite) {
  use(*getObject(view), view.offset, view.size, isWrite);
}

/// Waits if what was named by `use` depends on a command since the last
/// barrier.
void AMDGPURecorder::order() {
  bool depends = std::any_of(next.begin(), next.end(), [&](const Access &a) {
    return std::any_of(pending.begin(), pending.end(),
                       [&](const Access &b) { return a.conflicts(b); });
  });
  if (depends)
    barrier();
}

/// Only now: a new part forgets what came before, but not what began in it.
void AMDGPURecorder::finishCommand() {
  pending.insert(pending.end(), next.begin(), next.end());
  next.clear();
}

void AMDGPURecorder::barrier() {
  pending.clear();
  if (!isOpen)
    return;
  writeFlush(parts.back().words);
  writeAcquire(parts.back().words, Acquire::Shader);
}

//===----------------------------------------------------------------------===//
// Copies and fills
//===----------------------------------------------------------------------===//

void AMDGPURecorder::copy(const View &from, const View &to) {
  if (!from.size)
    return;
  use(from, false);
  use(to, true);
  order();
  constexpr auto most =
      static_cast<uint64_t>(maxSubmissionTime * leastCopySpeed);
  for (uint64_t done = 0; done < from.size;) {
    uint64_t part = std::min(most, from.size - done);
    writeCopy(makeRoom(static_cast<double>(part) / leastCopySpeed),
              getAddress(from) + done, getAddress(to) + done, part);
    done += part;
  }
}

void AMDGPURecorder::fill(const View &to, uint32_t value) {
  if (!to.size)
    return;
  use(to, true);
  order();
  constexpr auto most =
      static_cast<uint64_t>(maxSubmissionTime * leastCopySpeed) / 4 * 4;
  for (uint64_t done = 0; done < to.size;) {
    uint64_t part = std::min(most, to.size - done);
    writeFill(makeRoom(static_cast<double>(part) / leastCopySpeed),
              getAddress(to) + done, part, value);
    done += part;
  }
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

Status AMDGPURecorder::dispatch(const Command &command) {
  const AMDGPUProgram &program = AMDGPUProgram::of(command);
  std::vector<GpuProgram::Workgroups> groups(program.launchCount());
  double total = 0;
  for (uint32_t i = 0; i < groups.size(); ++i) {
    if (Status status = program.findWorkgroups(i, command, groups[i]);
        !status.isOk())
      return status;
    total += static_cast<double>(groups[i].all);
  }
  if (total == 0)
    return {};
  for (size_t i = 0; i < command.arguments.size(); ++i)
    use(command.arguments[i], program.bindings()[i].isWritten);
  if (command.workspace)
    use(*recording.workspace, 0, command.workspace, true);
  order();

  const Node &node = *recording.amdgpu.node();
  double seconds =
      secondsOf(program.countOperations(command.sizes, total)) / total;
  // Fewer than there are compute units would leave some of them idle.
  double most = std::max(maxSubmissionTime / std::max(seconds, 1e-15),
                         static_cast<double>(node.computeUnits()));
  uint64_t kernarg = writeArguments(command);
  for (uint32_t i = 0; i < groups.size(); ++i) {
    if (i > 0)
      barrier();
    uint32_t launch = addLaunch(command, i, kernarg);
    for (const GroupBox &box : splitGrid(
             groups[i].count, static_cast<uint64_t>(std::min(most, 1e15)))) {
      makeRoom(seconds * static_cast<double>(getCount(box)));
      parts.back().launches.push_back(launch);
      auto first = static_cast<uint32_t>(groups[i].first);
      writeLaunch(command, i, kernarg,
                  {box.startX + first, box.startY, box.endX + first, box.endY});
    }
  }
  return {};
}

/// Each binding's address, then the sizes.
uint64_t AMDGPURecorder::writeArguments(const Command &command) {
  const AMDGPUProgram &program = AMDGPUProgram::of(command);
  uint64_t offset = argumentEnd;
  argumentEnd = offset + roundUp(program.argumentSize(), argumentAlignment);
  if (!host)
    return address + offset;
  std::vector<uint64_t> addresses;
  for (const View &view : command.arguments)
    addresses.push_back(getAddress(view));
  if (addresses.size() < program.bindings().size())
    addresses.push_back(recording.workspace
                            ? recording.workspace->address()
                            : addresses[0]); // none of these sizes wants it
  std::vector<int32_t> sizes(command.sizes.begin(), command.sizes.end());
  std::memset(host + offset, 0, argumentEnd - offset);
  std::memcpy(host + offset, addresses.data(),
              addresses.size() * sizeof(uint64_t));
  if (!sizes.empty())
    std::memcpy(host + offset + addresses.size() * sizeof(uint64_t),
                sizes.data(), sizes.size() * sizeof(int32_t));
  return address + offset;
}

uint32_t AMDGPURecorder::addLaunch(const Command &command, uint32_t index,
                                   uint64_t kernarg) {
  const AMDGPUProgram &program = AMDGPUProgram::of(command);
  CheckedLaunch launch = {};
  launch.entry = program.launch(index).entry;
  launch.descriptor = program.entry(index).descriptor;
  launch.code = program.address(index);
  launch.kernarg = kernarg;
  launch.arguments =
      reinterpret_cast<const uint8_t *>(host) + (host ? kernarg - address : 0);
  launch.argumentSize = program.argumentSize();
  launch.invocations = program.launch(index).invocations;
  for (size_t i = 0; i < program.bindings().size(); ++i) {
    launch.names.push_back(program.bindings()[i].name);
    if (i < command.arguments.size())
      launch.bindings.push_back(
          {getAddress(command.arguments[i]), command.arguments[i].size});
    else if (recording.workspace)
      launch.bindings.push_back(
          {recording.workspace->address(), command.workspace});
    else
      launch.bindings.push_back({getAddress(command.arguments[0]), 0});
  }
  launches.push_back(std::move(launch));
  return static_cast<uint32_t>(launches.size() - 1);
}

void AMDGPURecorder::writeLaunch(const Command &command, uint32_t index,
                                 uint64_t kernarg, const GroupBox &box) {
  const AMDGPUProgram &program = AMDGPUProgram::of(command);
  const KernelDescriptor &descriptor = program.entry(index).descriptor;
  DispatchState state = {};
  state.groups = box;
  state.invocations = program.launch(index).invocations;
  state.program = program.address(index);
  state.rsrc1 = descriptor.rsrc1;
  state.rsrc2 = descriptor.fullRsrc2();
  state.rsrc3 = descriptor.rsrc3;
  state.kernarg = kernarg;
  state.kernargRegister = descriptor.kernargRegister();
  state.isWave32 = descriptor.isWave32();
  Words &words = parts.back().words;
  writeState(words, recording.amdgpu.node()->generation(), state);
  writeDispatch(words, state);
}

} // namespace sparkle::runtime
