// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The checks, in the order of the fields of sparkle_command_t; each failure
// names the command, and the argument.

#include "runtime/Command.h"
#include "runtime/Handle.h"
#include "runtime/Module.h"
#include "runtime/Shape.h"

#include <cinttypes>

namespace sparkle::runtime {
namespace {

/// One command on its way in.
class CommandCheck {
public:
  CommandCheck(const Device &device, const sparkle_command_t &given,
               uint32_t index, Command &command)
      : device(device), given(given), index(index), command(command) {}

  Status check();

private:
  Status checkKernel();
  Status checkSizes(const Module &module);
  Status checkArgument(const Module &module, uint32_t argument);
  Status checkStated(const sparkle_kernel_t &kernel,
                     const sparkle_tensor_t &tensor, const sparkle_view_t &view,
                     const char *name) const;
  bool isInPlace(const Module &module, uint32_t i, uint32_t j) const;
  Status checkOverlap(const Module &module) const;
  Status checkCopy();
  Status checkFill();
  Status checkCount(uint32_t count) const;
  Status checkView(uint32_t argument, const char *name, uint32_t alignment);

  const Device &device;
  const sparkle_command_t &given;
  const uint32_t index;
  Command &command;
  uint32_t variant = 0; // the module's current one, read once
};

Status CommandCheck::check() {
  command.kind = static_cast<sparkle_command_kind_t>(given.kind);
  command.fill = given.fill;
  switch (given.kind) {
  case SPARKLE_COMMAND_KERNEL:
    return checkKernel();
  case SPARKLE_COMMAND_COPY:
    return checkCopy();
  case SPARKLE_COMMAND_FILL:
    return checkFill();
  }
  return Status::failure(SPARKLE_INVALID_ARGUMENT,
                         "command %u: expected a kind from 0 to 2, but got %u",
                         index, given.kind);
}

Status CommandCheck::checkCount(uint32_t count) const {
  if (given.argument_count != count)
    return Status::failure(SPARKLE_WRONG_COUNT,
                           "command %u: expected %u arguments, but got %u",
                           index, count, given.argument_count);
  if (count && !given.arguments)
    return Status::failure(
        SPARKLE_INVALID_ARGUMENT,
        "command %u: expected arguments, but got a null pointer", index);
  return {};
}

/// A view by itself: inside of a buffer of the device, and aligned.
Status CommandCheck::checkView(uint32_t argument, const char *name,
                               uint32_t alignment) {
  const sparkle_view_t &view = given.arguments[argument];
  if (!view.buffer)
    return Status::failure(SPARKLE_INVALID_ARGUMENT,
                           "command %u, argument '%s': expected a buffer, but "
                           "got a null pointer",
                           index, name);
  Buffer &buffer = unwrap(view.buffer);
  if (&buffer.device() != &device)
    return Status::failure(
        SPARKLE_WRONG_DEVICE,
        "command %u, argument '%s': expected a buffer of device '%s', but got "
        "one of '%s'",
        index, name, device.properties().name,
        buffer.device().properties().name);
  if (view.offset > buffer.size())
    return Status::failure(SPARKLE_INVALID_ARGUMENT,
                           "command %u, argument '%s': expected an offset of "
                           "at most %" PRIu64 ", but got %" PRIu64,
                           index, name, buffer.size(), view.offset);
  uint64_t most = buffer.size() - view.offset;
  if (view.size > most)
    return Status::failure(SPARKLE_INVALID_ARGUMENT,
                           "command %u, argument '%s': expected at most "
                           "%" PRIu64 " bytes from offset %" PRIu64
                           " on, but got %" PRIu64,
                           index, name, most, view.offset, view.size);
  if (view.offset % alignment)
    return Status::failure(SPARKLE_MISALIGNED,
                           "command %u, argument '%s': expected an offset that "
                           "is a multiple of %u, but got %" PRIu64,
                           index, name, alignment, view.offset);
  command.arguments.push_back(
      {Ref<Buffer>::share(&buffer), view.offset, view.size ? view.size : most});
  return {};
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

Status CommandCheck::checkKernel() {
  if (!given.module)
    return Status::failure(
        SPARKLE_INVALID_ARGUMENT,
        "command %u: expected a module, but got a null pointer", index);
  const Module &module = unwrap(given.module);
  if (&module.device() != &device)
    return Status::failure(
        SPARKLE_WRONG_DEVICE,
        "command %u: expected a module of device '%s', but got one of '%s'",
        index, device.properties().name, module.device().properties().name);
  if (Status status = checkCount(module.argumentCount()); !status.isOk())
    return status;
  if (Status status = checkSizes(module); !status.isOk())
    return status;
  variant = module.current();
  command.program = module.variant(variant).program;
  for (uint32_t i = 0; i < given.argument_count; ++i)
    if (Status status = checkArgument(module, i); !status.isOk())
      return status;
  Status status =
      module.getWorkspaceSize(variant, given.sizes, command.workspace);
  if (!status.isOk())
    return Status::failure(status.code(), "command %u: %s", index,
                           status.message());
  return checkOverlap(module);
}

Status CommandCheck::checkSizes(const Module &module) {
  Status status = sparkle::runtime::checkSizes(module.kernel(), given.sizes,
                                               given.size_count);
  if (!status.isOk())
    return Status::failure(status.code(), "command %u: %s", index,
                           status.message());
  if (given.size_count)
    command.sizes.assign(given.sizes, given.sizes + given.size_count);
  return {};
}

/// An argument as the kernel wants it: as long as that, or longer if no length
/// is stated.
Status CommandCheck::checkArgument(const Module &module, uint32_t argument) {
  const sparkle_tensor_t &tensor = module.argument(argument);
  if (Status status =
          checkView(argument, tensor.name, device.properties().alignment);
      !status.isOk())
    return status;
  const sparkle_view_t &view = given.arguments[argument];
  if (Status status = checkStated(module.kernel(), tensor, view, tensor.name);
      !status.isOk())
    return status;
  uint64_t bytes = 0;
  if (Status status =
          module.getArgumentSize(argument, variant, given.sizes, bytes);
      !status.isOk())
    return Status::failure(status.code(), "command %u: %s", index,
                           status.message());
  View &checked = command.arguments.back();
  bool fits = view.size ? checked.size == bytes : checked.size >= bytes;
  if (!fits)
    return Status::failure(SPARKLE_WRONG_SHAPE,
                           "command %u, argument '%s': expected %" PRIu64
                           " bytes, but got %" PRIu64,
                           index, tensor.name, bytes, checked.size);
  checked.size = bytes;
  return {};
}

/// What the caller says that the bytes are.
Status CommandCheck::checkStated(const sparkle_kernel_t &kernel,
                                 const sparkle_tensor_t &tensor,
                                 const sparkle_view_t &view,
                                 const char *name) const {
  if (view.element && view.element != tensor.element) {
    const char *element = getElementName(view.element);
    return Status::failure(
        SPARKLE_WRONG_ELEMENT,
        "command %u, argument '%s': expected elements %s, but got %s", index,
        name, getElementName(tensor.element), element ? element : "unknown");
  }
  if (!view.rank)
    return {};
  if (!view.shape)
    return Status::failure(
        SPARKLE_INVALID_ARGUMENT,
        "command %u, argument '%s': expected a shape, but got a null pointer",
        index, name);
  if (view.rank != tensor.rank)
    return Status::failure(
        SPARKLE_WRONG_SHAPE,
        "command %u, argument '%s': expected %u dimensions, but got %u", index,
        name, tensor.rank, view.rank);
  Extents extents;
  if (Status status = getExtents(kernel, tensor, given.sizes, extents);
      !status.isOk())
    return status;
  for (uint32_t i = 0; i < tensor.rank; ++i)
    if (view.shape[i] != extents.values[i])
      return Status::failure(SPARKLE_WRONG_SHAPE,
                             "command %u, argument '%s': expected extent %u to "
                             "be %" PRId64 ", but got %" PRId64,
                             index, name, i, extents.values[i], view.shape[i]);
  return {};
}

bool overlap(const View &left, const View &right) {
  return left.buffer.get() == right.buffer.get() && left.size && right.size &&
         left.offset < right.offset + right.size &&
         right.offset < left.offset + left.size;
}

/// Whether output `i` may lie where argument `j` does, and wholly does.
bool CommandCheck::isInPlace(const Module &module, uint32_t i,
                             uint32_t j) const {
  uint32_t number = module.argument(j).in_place;
  const View &output = command.arguments[i], &input = command.arguments[j];
  return number != 0 &&
         &module.kernel().tensors[number - 1] == &module.argument(i) &&
         output.offset == input.offset && output.size == input.size;
}

Status CommandCheck::checkOverlap(const Module &module) const {
  for (uint32_t i = 0; i < given.argument_count; ++i) {
    if (module.argument(i).role != SPARKLE_ROLE_OUTPUT)
      continue;
    for (uint32_t j = 0; j < given.argument_count; ++j)
      if (i != j && overlap(command.arguments[i], command.arguments[j]) &&
          !isInPlace(module, i, j))
        return Status::failure(
            SPARKLE_OVERLAP,
            "command %u, argument '%s': expected bytes of its own, since it is "
            "written, but got some of '%s'",
            index, module.argument(i).name, module.argument(j).name);
  }
  return {};
}

//===----------------------------------------------------------------------===//
// Copies and fills
//===----------------------------------------------------------------------===//

Status CommandCheck::checkCopy() {
  if (Status status = checkCount(2); !status.isOk())
    return status;
  if (Status status = checkView(0, "from", 1); !status.isOk())
    return status;
  if (Status status = checkView(1, "to", 1); !status.isOk())
    return status;
  const View &from = command.arguments[0], &to = command.arguments[1];
  if (from.size != to.size)
    return Status::failure(SPARKLE_WRONG_SHAPE,
                           "command %u, argument 'to': expected %" PRIu64
                           " bytes, but got %" PRIu64,
                           index, from.size, to.size);
  if (overlap(from, to))
    return Status::failure(SPARKLE_OVERLAP,
                           "command %u, argument 'to': expected bytes of its "
                           "own, since it is written, but got some of 'from'",
                           index);
  return {};
}

Status CommandCheck::checkFill() {
  if (Status status = checkCount(1); !status.isOk())
    return status;
  if (Status status = checkView(0, "to", sizeof(given.fill)); !status.isOk())
    return status;
  const View &to = command.arguments[0];
  if (to.size % sizeof(given.fill))
    return Status::failure(SPARKLE_MISALIGNED,
                           "command %u, argument 'to': expected a size that is "
                           "a multiple of 4, but got %" PRIu64,
                           index, to.size);
  return {};
}

} // namespace

Status record(Device &device, const sparkle_command_t *given, uint32_t count,
              Ref<Recording> &recording) {
  if (count && !given)
    return Status::failure(SPARKLE_INVALID_ARGUMENT,
                           "expected commands, but got a null pointer");
  std::vector<Command> commands(count);
  for (uint32_t i = 0; i < count; ++i)
    if (Status status = CommandCheck(device, given[i], i, commands[i]).check();
        !status.isOk())
      return status;
  return device.createRecording(std::move(commands), recording);
}

//===----------------------------------------------------------------------===//
// Submissions
//===----------------------------------------------------------------------===//

static Status checkPoints(const char *what, const sparkle_point_t *points,
                          uint32_t count) {
  if (count && !points)
    return Status::failure(SPARKLE_INVALID_ARGUMENT,
                           "expected %ss, but got a null pointer", what);
  for (uint32_t i = 0; i < count; ++i)
    if (!points[i].timeline)
      return Status::failure(
          SPARKLE_INVALID_ARGUMENT,
          "%s %u: expected a timeline, but got a null pointer", what, i);
  return {};
}

static Status checkSubmission(const Queue &queue,
                              const sparkle_submission_t &submission) {
  if (submission.flags & ~static_cast<uint32_t>(SPARKLE_SUBMIT_TIMED))
    return Status::failure(SPARKLE_INVALID_ARGUMENT,
                           "expected known flags, but got 0x%" PRIx32,
                           submission.flags);
  if (submission.recording && submission.command_count)
    return Status::failure(SPARKLE_INVALID_ARGUMENT,
                           "expected a recording or commands, but got both");
  if (submission.recording &&
      &unwrap(submission.recording).device() != &queue.device())
    return Status::failure(
        SPARKLE_WRONG_DEVICE,
        "expected a recording of device '%s', but got one of '%s'",
        queue.device().properties().name,
        unwrap(submission.recording).device().properties().name);
  if (Status status =
          checkPoints("wait", submission.waits, submission.wait_count);
      !status.isOk())
    return status;
  if (Status status =
          checkPoints("signal", submission.signals, submission.signal_count);
      !status.isOk())
    return status;
  for (uint32_t i = 0; i < submission.signal_count; ++i)
    if (getTimeline(submission.signals[i]).device())
      return Status::failure(SPARKLE_INVALID_ARGUMENT,
                             "signal %u: expected a timeline of the host, but "
                             "got a queue's own",
                             i);
  return {};
}

static Status submitChecked(Queue &queue,
                            const sparkle_submission_t &submission,
                            uint64_t &value) {
  if (Status status = checkSubmission(queue, submission); !status.isOk())
    return status;
  Ref<Recording> recording;
  if (submission.recording)
    recording = Ref<Recording>::share(&unwrap(submission.recording));
  else if (Status status = record(queue.device(), submission.commands,
                                  submission.command_count, recording);
           !status.isOk())
    return status;
  Status status = queue.submit({*recording, submission.waits,
                                submission.signals, submission.wait_count,
                                submission.signal_count, submission.flags},
                               value);
  if (status.isOk() && !queue.device().settings().isAsynchronous)
    status = queue.timeline().wait(value, SPARKLE_FOREVER);
  return status;
}

Status submit(Queue &queue, const sparkle_submission_t &submission,
              uint64_t &value) {
  Status status = submitChecked(queue, submission, value);
  const Settings &settings = queue.device().settings();
  const char *name = queue.device().properties().name;
  if (status.isOk())
    settings.log(2, "%s: submission %" PRIu64, name, value);
  else
    settings.log(1, "%s: %s", name, status.message());
  return status;
}

} // namespace sparkle::runtime
