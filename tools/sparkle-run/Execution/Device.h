// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A device of the runtime, and a kernel made ready on it.

#ifndef SPARKLE_TOOLS_SPARKLE_RUN_EXECUTION_DEVICE_H
#define SPARKLE_TOOLS_SPARKLE_RUN_EXECUTION_DEVICE_H

#include "sparkle/scheduler.h"
#include "tools/sparkle-run/Execution/Instance.h"

#include <optional>

namespace sparkle {

/// Releases any object of the runtime.
struct Release {
  void operator()(sparkle_context_t *object) const {
    sparkle_context_release(object);
  }
  void operator()(sparkle_queue_t *object) const {
    sparkle_queue_release(object);
  }
  void operator()(sparkle_module_t *object) const {
    sparkle_module_release(object);
  }
  void operator()(sparkle_buffer_t *object) const {
    sparkle_buffer_release(object);
  }
  void operator()(sparkle_recording_t *object) const {
    sparkle_recording_release(object);
  }
  void operator()(sparkle_scheduler_t *object) const {
    sparkle_scheduler_release(object);
  }
  void operator()(sparkle_array_t *object) const {
    sparkle_array_release(object);
  }
  void operator()(sparkle_task_t *object) const {
    sparkle_task_release(object);
  }
};
template <typename Object> using Owned = std::unique_ptr<Object, Release>;

/// A device with the one queue that this program uses at a time.
class Device {
public:
  Device(sparkle_device_t *device, std::string &error);

  const sparkle_device_properties_t &getProperties() const {
    return properties;
  }
  std::string getName() const { return properties.name; }
  /// "cpu" of "cpu", the word of the target.
  std::string getTarget() const;
  bool isCpu() const { return properties.target == SPARKLE_TARGET_CPU; }
  sparkle_device_t *get() const { return device; }
  sparkle_queue_t *getQueue() const { return queue.get(); }
  /// Another queue if this one has failed: what one kernel does wrong is not to
  /// fail the next. Says why there is none.
  std::string renewQueue() const;

private:
  sparkle_device_t *device;
  sparkle_device_properties_t properties;
  mutable Owned<sparkle_queue_t> queue;
};

/// The devices that the options name; says on stderr why one is missing.
std::optional<std::vector<Device>>
findDevices(const sparkle_context_t *context,
            const std::vector<std::string> &names);

/// One kernel on one device.
class Session {
public:
  Session(const Device &device, const Instance &instance)
      : device(device), instance(instance) {}

  enum class Status { Ready, Unsupported, Failed };
  /// Makes the module; `getError` tells what is in the way.
  Status open();
  const std::string &getError() const { return error; }
  /// Whether what failed is beyond the device, not wrong.
  bool isBeyondDevice() const { return isLacking; }

  const sparkle_module_properties_t &getProperties() const {
    return properties;
  }
  bool selectVariant(uint32_t variant);
  /// Makes the fastest variant current.
  bool tune();
  /// From now on an output is written over this input, which names it by
  /// `in_place`; or none over any.
  void writeOver(std::optional<size_t> input) { overwritten = input; }

  /// Runs it once. Arguments lie inside of larger buffers whose other bytes
  /// have to stay as they are, as do the inputs; outputs begin as poison.
  bool run(Outputs &outputs);

  /// Runs the device code again and again; each call takes one more time, in
  /// seconds: the device's own clock where it has one.
  bool prepareTiming();
  bool time(double &seconds);
  /// The memory of an argument of the timed runs, on the CPU.
  void *getData(size_t tensor) const;
  void setData(size_t tensor, void *data);
  /// The outputs of the timed runs; on the CPU of another one like them, with
  /// the inputs of the instance.
  bool readOutputs(Outputs &outputs);
  /// Whether the times are the device's own.
  bool hasDeviceTimes() const { return hasTimes; }

private:
  struct Argument {
    size_t tensor;
    uint64_t offset, size;
    Values image; ///< What the buffer holds before the run.
    Owned<sparkle_buffer_t> upload, memory, readback;
  };

  bool check(sparkle_status_t status, const sparkle_error_t &failure);
  bool createArguments(uint64_t margin);
  bool createArgument(size_t tensor, uint64_t margin);
  bool submit(const std::vector<sparkle_command_t> &commands, uint32_t flags,
              uint64_t &value);
  bool copy(bool isUpload);
  std::vector<sparkle_view_t> getViews();
  bool takeOutputs(Outputs &outputs);
  bool prepareDirect();
  size_t findArgument(size_t tensor) const;
  Argument &getPlace(Argument &argument);
  void refill(const Argument &argument, void *bytes);

  const Device &device;
  const Instance &instance;
  std::string error;
  bool isLacking = false;
  std::optional<size_t> overwritten;
  Owned<sparkle_module_t> module;
  sparkle_module_properties_t properties = {};
  std::vector<Argument> arguments;
  Owned<sparkle_recording_t> recording;
  bool hasTimes = false;
  /// Of the CPU, whose code is called without a queue between.
  std::vector<void *> pointers;
  std::unique_ptr<Values> workspace;
};

} // namespace sparkle

#endif // SPARKLE_TOOLS_SPARKLE_RUN_EXECUTION_DEVICE_H
