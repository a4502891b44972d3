// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Writes a command buffer. There is a barrier before each command that depends
// on one since the last barrier, between the launches of a program, and at the
// end: for what the queue is given next, and for the host. Independent commands
// run side by side.

#include "runtime/Device/Vulkan/Recording.h"

#include <algorithm>

namespace sparkle::runtime {

Status VulkanRecording::create(VulkanDevice &device,
                               std::vector<Command> commands,
                               Ref<Recording> &result) {
  auto recording = Ref<VulkanRecording>::adopt(
      new VulkanRecording(device, std::move(commands)));
  if (Status status = recording->check(); !status.isOk())
    return status;
  if (Status status = recording->createWorkspace(); !status.isOk())
    return status;
  if (Status status = recording->createSets(); !status.isOk())
    return status;
  if (Status status = recording->createCommandBuffer(); !status.isOk())
    return status;
  result = std::move(recording);
  return {};
}

VulkanRecording::VulkanRecording(VulkanDevice &device,
                                 std::vector<Command> given)
    : Recording(device), vulkan(device), commands(std::move(given)) {
  bool computes =
      std::any_of(commands.begin(), commands.end(), [](const Command &command) {
        return command.kind == SPARKLE_COMMAND_KERNEL;
      });
  if (!computes && device.hasTransfer())
    usedLane = Lane::Transfer;
}

VulkanRecording::~VulkanRecording() {
  const Functions &vk = vulkan.functions();
  vk.DestroyCommandPool(vulkan.handle(), pool, nullptr);
  vk.DestroyDescriptorPool(vulkan.handle(), descriptors, nullptr);
}

//===----------------------------------------------------------------------===//
// What is too large
//===----------------------------------------------------------------------===//

Status VulkanRecording::check() const {
  for (size_t i = 0; i < commands.size(); ++i)
    if (commands[i].kind == SPARKLE_COMMAND_KERNEL)
      if (Status status = VulkanProgram::of(commands[i])
                              .checkCommand(vulkan, i, commands[i]);
          !status.isOk())
        return status;
  return {};
}

//===----------------------------------------------------------------------===//
// What the commands use
//===----------------------------------------------------------------------===//

Status VulkanRecording::createWorkspace() {
  uint64_t size = 0;
  for (const Command &command : commands)
    size = std::max(size, command.workspace);
  if (!size)
    return {};
  return VulkanBuffer::create(vulkan, SPARKLE_MEMORY_DEVICE, size, workspace);
}

/// The bytes of a binding, which may not be empty.
static VkDescriptorBufferInfo describe(const View &view) {
  if (view.size == 0)
    return {getHandle(view), 0, emptySize};
  return {getHandle(view), view.offset, view.size};
}

Status VulkanRecording::createSets() {
  uint32_t kernels = 0, bindings = 0;
  for (const Command &command : commands)
    if (command.kind == SPARKLE_COMMAND_KERNEL) {
      ++kernels;
      bindings += VulkanProgram::of(command).bindings().size();
    }
  sets.resize(commands.size(), VK_NULL_HANDLE);
  if (!kernels)
    return {};
  VkDescriptorPoolSize size = {VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, bindings};
  VkDescriptorPoolCreateInfo info = {};
  info.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO;
  info.maxSets = kernels;
  info.poolSizeCount = 1;
  info.pPoolSizes = &size;
  const Functions &vk = vulkan.functions();
  if (Status status = vulkan.make(vk.CreateDescriptorPool,
                                  "CreateDescriptorPool", info, descriptors);
      !status.isOk())
    return status;

  for (size_t i = 0; i < commands.size(); ++i) {
    const Command &command = commands[i];
    if (command.kind != SPARKLE_COMMAND_KERNEL)
      continue;
    VkDescriptorSetLayout layout = VulkanProgram::of(command).setLayout();
    VkDescriptorSetAllocateInfo allocation = {};
    allocation.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO;
    allocation.descriptorPool = descriptors;
    allocation.descriptorSetCount = 1;
    allocation.pSetLayouts = &layout;
    if (Status status = vulkan.check(
            vk.AllocateDescriptorSets(vulkan.handle(), &allocation, &sets[i]),
            "AllocateDescriptorSets");
        !status.isOk())
      return status;

    std::vector<VkDescriptorBufferInfo> views;
    for (const View &view : command.arguments)
      views.push_back(describe(view));
    if (views.size() < VulkanProgram::of(command).bindings().size())
      views.push_back(workspace ? describe({workspace, 0, command.workspace})
                                : views[0]); // none of these sizes wants it
    VkWriteDescriptorSet write = {};
    write.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET;
    write.dstSet = sets[i];
    write.descriptorCount = static_cast<uint32_t>(views.size());
    write.descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
    write.pBufferInfo = views.data();
    vk.UpdateDescriptorSets(vulkan.handle(), 1, &write, 0, nullptr);
  }
  return {};
}

//===----------------------------------------------------------------------===//
// The command buffer
//===----------------------------------------------------------------------===//

/// Writes the commands of one recording.
class Recorder {
public:
  explicit Recorder(VulkanRecording &recording)
      : recording(recording), vk(recording.vulkan.functions()),
        buffer(recording.buffer) {
    if (recording.usedLane == Lane::Transfer)
      return;
    stages |= VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT;
    writes |= VK_ACCESS_SHADER_WRITE_BIT;
    reads |= VK_ACCESS_SHADER_READ_BIT;
  }

  Status record() {
    for (size_t i = 0; i < recording.commands.size(); ++i)
      if (Status status = record(i); !status.isOk())
        return status;
    if (!recording.commands.empty())
      finish();
    return {};
  }

private:
  /// Bytes that a command since the last barrier uses.
  struct Access {
    const Buffer *buffer;
    uint64_t begin, end;
    bool isWrite;

    bool conflicts(const Access &other) const {
      return (isWrite || other.isWrite) && buffer == other.buffer &&
             begin < other.end && other.begin < end;
    }
  };

  Status record(size_t index) {
    const Command &command = recording.commands[index];
    switch (command.kind) {
    case SPARKLE_COMMAND_KERNEL:
      return dispatch(command, recording.sets[index]);
    case SPARKLE_COMMAND_COPY:
      copy(command.arguments[0], command.arguments[1]);
      return {};
    default:
      fill(command.arguments[0], command.fill);
      return {};
    }
  }

  void use(const View &view, bool isWrite) {
    if (view.size)
      next.push_back(
          {view.buffer.get(), view.offset, view.offset + view.size, isWrite});
    isSeen |= isWrite && view.buffer->pointer();
  }

  /// Waits if what was named by `use` depends on a command since the last
  /// barrier.
  void order() {
    bool depends = std::any_of(next.begin(), next.end(), [&](const Access &a) {
      return std::any_of(pending.begin(), pending.end(),
                         [&](const Access &b) { return a.conflicts(b); });
    });
    if (depends) {
      barrier();
      pending.clear();
    }
    pending.insert(pending.end(), next.begin(), next.end());
    next.clear();
  }

  void barrier() {
    VkMemoryBarrier memory = {};
    memory.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER;
    memory.srcAccessMask = writes;
    memory.dstAccessMask = reads | writes;
    vk.CmdPipelineBarrier(buffer, stages, stages, 0, 1, &memory, 0, nullptr, 0,
                          nullptr);
  }

  /// What comes later in the queue sees what was written, and so does the
  /// host.
  void finish() {
    VkMemoryBarrier memory = {};
    memory.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER;
    memory.srcAccessMask = writes;
    memory.dstAccessMask = reads | writes;
    VkPipelineStageFlags readers = stages;
    if (isSeen) {
      memory.dstAccessMask |= VK_ACCESS_HOST_READ_BIT;
      readers |= VK_PIPELINE_STAGE_HOST_BIT;
    }
    vk.CmdPipelineBarrier(buffer, stages, readers, 0, 1, &memory, 0, nullptr, 0,
                          nullptr);
  }

  void copy(const View &from, const View &to) {
    if (!from.size)
      return;
    use(from, false);
    use(to, true);
    order();
    VkBufferCopy region = {from.offset, to.offset, from.size};
    vk.CmdCopyBuffer(buffer, getHandle(from), getHandle(to), 1, &region);
  }

  void fill(const View &to, uint32_t value) {
    if (!to.size)
      return;
    use(to, true);
    order();
    vk.CmdFillBuffer(buffer, getHandle(to), to.offset, to.size, value);
  }

  Status dispatch(const Command &command, VkDescriptorSet set) {
    const VulkanProgram &program = VulkanProgram::of(command);
    for (size_t i = 0; i < command.arguments.size(); ++i)
      use(command.arguments[i], program.bindings()[i].isWritten);
    if (command.workspace)
      use({recording.workspace, 0, command.workspace}, true);
    order();
    vk.CmdBindDescriptorSets(buffer, VK_PIPELINE_BIND_POINT_COMPUTE,
                             program.layout(), 0, 1, &set, 0, nullptr);
    std::vector<int32_t> sizes(command.sizes.begin(), command.sizes.end());
    if (!sizes.empty())
      vk.CmdPushConstants(
          buffer, program.layout(), VK_SHADER_STAGE_COMPUTE_BIT, 0,
          static_cast<uint32_t>(sizes.size() * sizeof(int32_t)), sizes.data());
    for (uint32_t i = 0; i < program.launchCount(); ++i) {
      GpuProgram::Workgroups groups;
      if (Status status = program.findWorkgroups(i, command, groups);
          !status.isOk())
        return status;
      if (i > 0)
        barrier();
      if (groups.count)
        launch(program.pipeline(i), groups);
    }
    return {};
  }

  void launch(VkPipeline pipeline, const GpuProgram::Workgroups &groups) {
    uint64_t width = std::min<uint64_t>(groups.count, SPARKLE_GRID_WIDTH);
    auto x = static_cast<uint32_t>(width);
    auto y = static_cast<uint32_t>((groups.count + width - 1) / width);
    vk.CmdBindPipeline(buffer, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline);
    if (groups.first)
      vk.CmdDispatchBase(buffer, static_cast<uint32_t>(groups.first), 0, 0, x,
                         y, 1);
    else
      vk.CmdDispatch(buffer, x, y, 1);
  }

  VulkanRecording &recording;
  const Functions &vk;
  VkCommandBuffer buffer;
  VkPipelineStageFlags stages = VK_PIPELINE_STAGE_TRANSFER_BIT;
  VkAccessFlags writes = VK_ACCESS_TRANSFER_WRITE_BIT;
  VkAccessFlags reads = VK_ACCESS_TRANSFER_READ_BIT;
  std::vector<Access> pending, next;
  bool isSeen = false; // by the host: something that was written
};

Status VulkanRecording::createCommandBuffer() {
  const Functions &vk = vulkan.functions();
  VkCommandPoolCreateInfo poolInfo = {};
  poolInfo.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO;
  poolInfo.queueFamilyIndex = vulkan.family(usedLane);
  if (Status status = vulkan.make(vk.CreateCommandPool, "CreateCommandPool",
                                  poolInfo, pool);
      !status.isOk())
    return status;
  VkCommandBufferAllocateInfo allocation = {};
  allocation.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO;
  allocation.commandPool = pool;
  allocation.commandBufferCount = 1;
  if (Status status = vulkan.check(
          vk.AllocateCommandBuffers(vulkan.handle(), &allocation, &buffer),
          "AllocateCommandBuffers");
      !status.isOk())
    return status;
  VkCommandBufferBeginInfo begin = {};
  begin.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO;
  begin.flags = VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT;
  if (Status status = vulkan.check(vk.BeginCommandBuffer(buffer, &begin),
                                   "BeginCommandBuffer");
      !status.isOk())
    return status;
  if (Status status = Recorder(*this).record(); !status.isOk())
    return status;
  return vulkan.check(vk.EndCommandBuffer(buffer), "EndCommandBuffer");
}

} // namespace sparkle::runtime
