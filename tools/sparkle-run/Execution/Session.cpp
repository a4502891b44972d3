// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Buffers, commands and times of one kernel on one device.

#include "tools/sparkle-run/Execution/Device.h"

#include <algorithm>
#include <chrono>
#include <cstring>

using namespace sparkle;

//===----------------------------------------------------------------------===//
// The module
//===----------------------------------------------------------------------===//

bool Session::check(sparkle_status_t status, const sparkle_error_t &failure) {
  if (status == SPARKLE_OK)
    return true;
  isLacking = status == SPARKLE_MISSING_FEATURE;
  error = std::string(sparkle_status_name(status)) + ": " + failure.message;
  return false;
}

Session::Status Session::open() {
  error = instance.getObstacle();
  if (!error.empty())
    return Status::Unsupported;
  error = device.renewQueue();
  if (!error.empty())
    return Status::Failed;
  sparkle_module_t *made = nullptr;
  sparkle_error_t failure;
  sparkle_status_t status = sparkle_module_create(
      device.get(), &instance.getKernel(), &made, &failure);
  module.reset(made);
  if (status == SPARKLE_NO_IMAGE) {
    error = failure.message;
    return Status::Unsupported;
  }
  if (!check(status, failure))
    return Status::Failed;
  sparkle_module_query_properties(module.get(), &properties);
  return Status::Ready;
}

bool Session::selectVariant(uint32_t variant) {
  sparkle_error_t failure;
  arguments.clear();
  bool good = check(
      sparkle_module_select_variant(module.get(), variant, &failure), failure);
  sparkle_module_query_properties(module.get(), &properties);
  return good;
}

bool Session::tune() {
  sparkle_error_t failure;
  const std::vector<int64_t> &sizes = instance.getSizes();
  bool good = properties.variant_count < 2 ||
              check(sparkle_module_tune(module.get(), sizes.data(),
                                        uint32_t(sizes.size()), 0, &failure),
                    failure);
  sparkle_module_query_properties(module.get(), &properties);
  return good;
}

//===----------------------------------------------------------------------===//
// Arguments
//===----------------------------------------------------------------------===//

bool Session::createArgument(size_t tensor, uint64_t margin) {
  sparkle_error_t failure;
  const std::vector<int64_t> &sizes = instance.getSizes();
  uint32_t index = uint32_t(arguments.size());
  uint64_t size = 0;
  if (!check(sparkle_module_query_argument_size(
                 module.get(), index, sizes.data(), uint32_t(sizes.size()),
                 &size, &failure),
             failure))
    return false;
  const Tensor &wanted = instance.getTensors()[tensor];
  uint64_t own =
      uint64_t(wanted.getMemoryCount()) * uint64_t(wanted.getElementSize());
  if (wanted.getRole() != SPARKLE_ROLE_WEIGHT && size != own) {
    error = std::string("expected '") + wanted.getName() + "' to have " +
            std::to_string(own) + " bytes, but the runtime wants " +
            std::to_string(size);
    return false;
  }
  uint64_t alignment = std::max<uint64_t>(device.getProperties().alignment, 64);
  uint64_t offset = (margin + alignment - 1) / alignment * alignment;
  uint64_t whole = (offset + size + margin + 3) / 4 * 4;
  Argument argument{tensor, offset, size, Values(int64_t(whole)), {}, {}, {}};
  if (wanted.getRole() == SPARKLE_ROLE_WEIGHT &&
      !check(sparkle_module_pack(module.get(), index,
                                 instance.getInput(tensor).get<void>(),
                                 argument.image.get<char>() + offset, &failure),
             failure))
    return false;
  refill(argument, argument.image.get<char>() + offset);
  for (auto [memory, buffer] :
       {std::pair(SPARKLE_MEMORY_UPLOAD, &argument.upload),
        std::pair(SPARKLE_MEMORY_DEVICE, &argument.memory),
        std::pair(SPARKLE_MEMORY_READBACK, &argument.readback)}) {
    sparkle_buffer_t *made = nullptr;
    if (!check(
            sparkle_buffer_create(device.get(), memory, whole, &made, &failure),
            failure))
      return false;
    buffer->reset(made);
  }
  arguments.push_back(std::move(argument));
  return true;
}

/// Makes the bytes of an input or output what they were before it was written.
void Session::refill(const Argument &argument, void *bytes) {
  uint32_t role = instance.getTensors()[argument.tensor].getRole();
  if (role == SPARKLE_ROLE_INPUT)
    std::memcpy(bytes, instance.getInput(argument.tensor).get<char>(),
                argument.size);
  if (role == SPARKLE_ROLE_OUTPUT)
    std::memset(bytes, 0xff, argument.size);
}

bool Session::createArguments(uint64_t margin) {
  arguments.clear();
  for (size_t t = 0; t < instance.getTensors().size(); ++t)
    if (instance.getTensors()[t].getRole() != SPARKLE_ROLE_TEMP &&
        !createArgument(t, margin))
      return false;
  return true;
}

std::vector<sparkle_view_t> Session::getViews() {
  std::vector<sparkle_view_t> views;
  for (Argument &argument : arguments) {
    const Tensor &tensor = instance.getTensors()[argument.tensor];
    const Argument &place = getPlace(argument);
    views.push_back({place.memory.get(), place.offset, place.size,
                     tensor.getElement(), uint32_t(tensor.getShape().size()),
                     tensor.getShape().data()});
  }
  return views;
}

//===----------------------------------------------------------------------===//
// Commands
//===----------------------------------------------------------------------===//

bool Session::submit(const std::vector<sparkle_command_t> &commands,
                     uint32_t flags, uint64_t &value) {
  sparkle_error_t failure;
  sparkle_submission_t submission = {};
  submission.recording = recording.get();
  if (!commands.empty()) {
    submission.recording = nullptr;
    submission.commands = commands.data();
    submission.command_count = uint32_t(commands.size());
  }
  submission.flags = flags;
  return check(sparkle_queue_submit(device.getQueue(), &submission, &value,
                                    &failure),
               failure) &&
         check(sparkle_timeline_wait(
                   sparkle_queue_get_timeline(device.getQueue()), value,
                   SPARKLE_FOREVER, &failure),
               failure);
}

/// Brings all arguments to the device, or back.
bool Session::copy(bool isUpload) {
  std::vector<sparkle_view_t> views;
  for (Argument &argument : arguments) {
    if (isUpload)
      std::memcpy(sparkle_buffer_get_pointer(argument.upload.get()),
                  argument.image.get<char>(), argument.image.getSize());
    uint64_t whole = argument.image.getSize();
    views.push_back({(isUpload ? argument.upload : argument.memory).get(), 0,
                     whole, 0, 0, nullptr});
    views.push_back({(isUpload ? argument.memory : argument.readback).get(), 0,
                     whole, 0, 0, nullptr});
  }
  std::vector<sparkle_command_t> commands;
  for (size_t i = 0; i < arguments.size(); ++i) {
    sparkle_command_t command = {};
    command.kind = SPARKLE_COMMAND_COPY;
    command.arguments = &views[2 * i];
    command.argument_count = 2;
    commands.push_back(command);
  }
  uint64_t value;
  return submit(commands, 0, value);
}

static sparkle_command_t
makeKernelCommand(sparkle_module_t *module, const Instance &instance,
                  const std::vector<sparkle_view_t> &views) {
  sparkle_command_t command = {};
  command.kind = SPARKLE_COMMAND_KERNEL;
  command.module = module;
  command.arguments = views.data();
  command.argument_count = uint32_t(views.size());
  command.sizes = instance.getSizes().data();
  command.size_count = uint32_t(instance.getSizes().size());
  return command;
}

bool Session::run(Outputs &outputs) {
  if (!createArguments(256))
    return false;
  std::vector<sparkle_view_t> views = getViews();
  uint64_t value;
  return copy(true) &&
         submit({makeKernelCommand(module.get(), instance, views)}, 0, value) &&
         takeOutputs(outputs);
}

/// Reads everything back; what no output covers has to be as it was.
bool Session::takeOutputs(Outputs &outputs) {
  if (!copy(false))
    return false;
  outputs = instance.makeOutputs();
  size_t output = 0;
  for (Argument &argument : arguments) {
    if (instance.getTensors()[argument.tensor].getRole() != SPARKLE_ROLE_OUTPUT)
      continue;
    Argument &place = getPlace(argument);
    const char *written = static_cast<const char *>(sparkle_buffer_get_pointer(
                              place.readback.get())) +
                          place.offset;
    std::memcpy(outputs[output++].get<char>(), written, place.size);
    std::memcpy(place.image.get<char>() + place.offset, written, place.size);
  }
  for (Argument &argument : arguments) {
    const Tensor &tensor = instance.getTensors()[argument.tensor];
    const char *after = static_cast<const char *>(
        sparkle_buffer_get_pointer(argument.readback.get()));
    const char *before = argument.image.get<char>();
    uint64_t end = argument.offset + argument.size;
    for (int64_t at = 0; at < argument.image.getSize(); ++at)
      if (after[at] != before[at]) {
        error = std::string("expected the bytes ") +
                (uint64_t(at) < argument.offset ? "before"
                 : uint64_t(at) >= end          ? "behind"
                                                : "of") +
                " '" + tensor.getName() + "' to stay, but byte " +
                std::to_string(at - int64_t(argument.offset)) + " changed";
        return false;
      }
    refill(argument, argument.image.get<char>() + argument.offset);
  }
  return true;
}

//===----------------------------------------------------------------------===//
// Times
//===----------------------------------------------------------------------===//

static double now() {
  std::chrono::duration<double> time =
      std::chrono::steady_clock::now().time_since_epoch();
  return time.count();
}

/// Calls the CPU's code as a program does that it is linked into.
bool Session::prepareDirect() {
  pointers.clear();
  for (Argument &argument : arguments) {
    const Argument &place = getPlace(argument);
    pointers.push_back(place.image.get<char>() + place.offset);
  }
  const sparkle_code_t &code = *properties.code;
  int64_t bytes =
      code.workspace_size ? code.workspace_size(instance.getSizes().data()) : 0;
  workspace = std::make_unique<Values>(std::max<int64_t>(bytes, 0));
  if (code.workspace_size)
    pointers.push_back(workspace->get<void>());
  return true;
}

size_t Session::findArgument(size_t tensor) const {
  size_t argument = 0;
  while (arguments[argument].tensor != tensor)
    ++argument;
  return argument;
}

/// Where it lies: an output may lie where an input does.
Session::Argument &Session::getPlace(Argument &argument) {
  const sparkle_kernel_t &kernel = instance.getKernel();
  bool isOver = overwritten &&
                kernel.tensors[*overwritten].in_place == argument.tensor + 1;
  return isOver ? arguments[findArgument(*overwritten)] : argument;
}

void *Session::getData(size_t tensor) const {
  return pointers[findArgument(tensor)];
}

void Session::setData(size_t tensor, void *data) {
  pointers[findArgument(tensor)] = data;
}

bool Session::prepareTiming() {
  if (!createArguments(0))
    return false;
  if (device.isCpu())
    return prepareDirect();
  hasTimes = device.getProperties().has_timestamps;
  std::vector<sparkle_view_t> views = getViews();
  sparkle_command_t command = makeKernelCommand(module.get(), instance, views);
  sparkle_recording_t *made = nullptr;
  sparkle_error_t failure;
  bool good =
      copy(true) && check(sparkle_recording_create(device.get(), &command, 1,
                                                   &made, &failure),
                          failure);
  recording.reset(made);
  return good;
}

bool Session::time(double &seconds) {
  double start = now();
  if (device.isCpu()) {
    int result =
        properties.code->invoke(pointers.data(), instance.getSizes().data());
    seconds = now() - start;
    if (result != 0)
      error = "the kernel returned " + std::to_string(result);
    return result == 0;
  }
  uint64_t value, begin, end;
  if (!submit({}, hasTimes ? SPARKLE_SUBMIT_TIMED : 0, value))
    return false;
  seconds = now() - start;
  sparkle_error_t failure;
  if (!hasTimes)
    return true;
  if (!check(sparkle_queue_query_times(device.getQueue(), value, &begin, &end,
                                       &failure),
             failure))
    return false;
  seconds = double(end - begin) * 1e-9;
  return true;
}

/// On the CPU of one more run: others may have written where it writes, and
/// after runs in place the input is not what it was.
bool Session::readOutputs(Outputs &outputs) {
  if (!device.isCpu()) {
    recording.reset();
    return takeOutputs(outputs);
  }
  auto visit = [&](uint32_t role, auto visitor) {
    for (size_t i = 0; i < arguments.size(); ++i)
      if (instance.getTensors()[arguments[i].tensor].getRole() == role)
        visitor(arguments[i], pointers[i]);
  };
  // Inputs last: one may lie where an output does.
  for (uint32_t role : {SPARKLE_ROLE_OUTPUT, SPARKLE_ROLE_INPUT})
    visit(role, [&](const Argument &argument, void *data) {
      refill(argument, data);
    });
  double seconds;
  if (!time(seconds))
    return false;
  outputs = instance.makeOutputs();
  size_t output = 0;
  visit(SPARKLE_ROLE_OUTPUT, [&](const Argument &argument, void *data) {
    std::memcpy(outputs[output++].get<void>(), data, argument.size);
  });
  return true;
}
